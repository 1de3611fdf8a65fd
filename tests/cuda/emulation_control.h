/* What the tests ask of the emulated device. */
#ifndef EMULATION_CONTROL_H
#define EMULATION_CONTROL_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/* In which order the warps of a block run, each as far as it can, and the threads of a warp. */
enum { EMULATION_UPWARDS, EMULATION_DOWNWARDS, EMULATION_SHUFFLED, EMULATION_SCHEDULES };

typedef struct {
    int multiprocessors;
    int schedule;
    int skipped_barrier; /* a barrier, by number, that does nothing; -1: none */
    int no_device;       /* the device is not there */
    int failing_launch;  /* the launch of that number from now on fails; -1: none */
    int losing_launch;   /* what that one queues loses the device when it runs; -1: none */
    int lost;            /* nothing but errors comes from the device any more */
    int failing_upload;  /* uploads find no memory */
    int failing_take;    /* the block of device memory of that number from now on; -1: none */
    int failing_copy;    /* likewise, of copies and clearings */
    int deferred;        /* work runs only when the host waits for it */
    int devices;
    /* What was done: */
    int64_t launches, copies, blocks_taken, waits_for_stream, waits_for_event;
} emulation;
extern emulation emulated;

/* Barriers are numbered in the order in which launches have met them. */
int emulation_barriers(void);
const char *emulation_barrier(int number); /* FILE:LINE */
int emulation_met(int number);             /* since the last look */
/* What was wrong with a launch since the last call; NULL: nothing. */
const char *emulation_fault(void);
/* Blocks of memory on devices, and streams, that have not been released. */
int emulation_blocks(void);
int emulation_streams(void);
/* The host may touch the devices' memory in between. */
void emulation_open(void);
void emulation_close(void);

#ifdef __cplusplus
}
#endif
#endif
