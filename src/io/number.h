/* Decimal numbers in text, whatever the program's locale. */
#ifndef SG_NUMBER_H
#define SG_NUMBER_H
#include <stddef.h>

/* The double nearest to the decimal number at `text`, which is [+-] digits [. digits] [e [+-]
   digits] with at least one digit before the exponent. Returns the characters used, 0 if there is
   no number. Too large numbers give infinity, a lack of memory NaN. A character that continues no
   number, such as 0, must stand behind the text. */
size_t sg_number(const char *text, double *value);
#endif
