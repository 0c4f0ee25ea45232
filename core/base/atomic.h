/* core/base/atomic: atomics that name their memory order. Nothing else in the library calls <stdatomic.h>. */
#ifndef RASK_CORE_BASE_ATOMIC_H
#define RASK_CORE_BASE_ATOMIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef _Atomic uint32_t rk_atomic_u32;
typedef _Atomic uint64_t rk_atomic_u64;
typedef _Atomic int64_t rk_atomic_i64;
typedef _Atomic bool rk_atomic_bool;

#define rk_init(p, v)          atomic_init(p, v)
#define rk_load_relaxed(p)     atomic_load_explicit(p, memory_order_relaxed)
#define rk_load_acquire(p)     atomic_load_explicit(p, memory_order_acquire)
#define rk_load_seq_cst(p)     atomic_load_explicit(p, memory_order_seq_cst)
#define rk_store_relaxed(p, v) atomic_store_explicit(p, v, memory_order_relaxed)
#define rk_store_release(p, v) atomic_store_explicit(p, v, memory_order_release)
#define rk_store_seq_cst(p, v) atomic_store_explicit(p, v, memory_order_seq_cst)

/* Each returns what was there before. */
#define rk_add_relaxed(p, v)      atomic_fetch_add_explicit(p, v, memory_order_relaxed)
#define rk_add_seq_cst(p, v)      atomic_fetch_add_explicit(p, v, memory_order_seq_cst)
#define rk_sub_relaxed(p, v)      atomic_fetch_sub_explicit(p, v, memory_order_relaxed)
#define rk_sub_acq_rel(p, v)      atomic_fetch_sub_explicit(p, v, memory_order_acq_rel)
#define rk_sub_seq_cst(p, v)      atomic_fetch_sub_explicit(p, v, memory_order_seq_cst)
#define rk_exchange_acquire(p, v) atomic_exchange_explicit(p, v, memory_order_acquire)
#define rk_exchange_acq_rel(p, v) atomic_exchange_explicit(p, v, memory_order_acq_rel)

/* Strong compare and swap; *expected receives what was there. On failure the order is relaxed. */
#define rk_cas_relaxed(p, expected, v)                                                                       \
    atomic_compare_exchange_strong_explicit(p, expected, v, memory_order_relaxed, memory_order_relaxed)
#define rk_cas_acq_rel(p, expected, v)                                                                       \
    atomic_compare_exchange_strong_explicit(p, expected, v, memory_order_acq_rel, memory_order_relaxed)
#define rk_cas_seq_cst(p, expected, v)                                                                       \
    atomic_compare_exchange_strong_explicit(p, expected, v, memory_order_seq_cst, memory_order_relaxed)
/* For who does not look into what was there. */
#define rk_cas_release(p, expected, v)                                                                       \
    atomic_compare_exchange_strong_explicit(p, expected, v, memory_order_release, memory_order_relaxed)
/* On failure what was there is acquired. */
#define rk_cas_acq_rel_or_acquire(p, expected, v)                                                            \
    atomic_compare_exchange_strong_explicit(p, expected, v, memory_order_acq_rel, memory_order_acquire)

/* Raises *p to v when v is larger. */
static inline void rk_raise_relaxed(rk_atomic_u64 *p, uint64_t v)
{
    uint64_t seen = rk_load_relaxed(p);
    while (seen < v && !rk_cas_relaxed(p, &seen, v)) {
    }
}

/* Tells the core that this is a waiting loop. */
static inline void rk_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#define RK_CACHE_LINE 64

#endif
