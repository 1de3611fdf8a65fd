/* Lets tests that look into parameters touch the emulated device's memory, as if all of that were
 * managed memory, where the environment asks for it. */
#include "emulation_control.h"
#include <stdlib.h>

__attribute__((constructor)) static void open_memory(void)
{
    if (getenv("EMULATION_OPEN")) emulation_open();
}
