/* How long the functions take on the device that the program is linked with. */
#ifndef DEVICE_TIME_H
#define DEVICE_TIME_H

/* Prints a table in Markdown. 0, or 1 if a call failed. */
int device_time(void);

#endif
