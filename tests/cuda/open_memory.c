/* Linked to a test program that looks into parameters, this lets it touch the emulated device's
 * memory, as if all of that were managed memory. */
#include "emulation_control.h"

__attribute__((constructor)) static void open_memory(void)
{
    emulation_open();
}
