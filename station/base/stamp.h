#ifndef STAMP_H
#define STAMP_H
#include <stdint.h>
#include <time.h>
extern uint64_t stamp_at[32], stamp_sum[32], stamp_n;
static inline uint64_t stamp_now(void){struct timespec t; clock_gettime(CLOCK_MONOTONIC,&t); return (uint64_t)t.tv_sec*1000000000u+(uint64_t)t.tv_nsec;}
#define STAMP(i) (stamp_at[i]=stamp_now())
#endif
