// What translated PTX needs to run on a CPU: instructions as functions, and a thread block as fibres.
// Registers hold bits; each instruction says what they mean. tests/ptx_on_cpu.py includes this file
// in front of its translation, after the number of its instructions, SITES.
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

typedef int8_t pred;
typedef uint16_t u16;
typedef int16_t s16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;

static inline float F(u32 bits) { float f; memcpy(&f, &bits, 4); return f; }
static inline u32 U(float f) { u32 bits; memcpy(&bits, &f, 4); return bits; }

// --- instructions ---------------------------------------------------------------------------------

#define MOVES(T, R) static inline R mov_##T(R x) { return x; } \
                    static inline R selp_##T(R x, R y, pred p) { return p ? x : y; }
MOVES(b16, u16) MOVES(u16, u16) MOVES(s16, u16) MOVES(b32, u32) MOVES(u32, u32) MOVES(s32, u32)
MOVES(f32, u32) MOVES(b64, u64) MOVES(u64, u64) MOVES(s64, u64) MOVES(pred, pred)
static inline u64 cvta_to_global_u64(u64 x) { return x; }
static inline u32 pack32(u16 low, u16 high) { return low | (u32)high << 16; }
static inline u64 pack64(u32 low, u32 high) { return low | (u64)high << 32; }

#define BITS(T, R) static inline R and_##T(R x, R y) { return x & y; } \
                   static inline R or_##T(R x, R y) { return x | y; } \
                   static inline R xor_##T(R x, R y) { return x ^ y; } \
                   static inline R not_##T(R x) { return ~x; } \
                   static inline R shl_##T(R x, u32 n) { return n < 8 * sizeof(R) ? x << n : 0; }
BITS(b16, u16) BITS(b32, u32) BITS(b64, u64)
static inline pred and_pred(pred x, pred y) { return x & y; }
static inline pred or_pred(pred x, pred y) { return x | y; }
static inline pred xor_pred(pred x, pred y) { return x ^ y; }
static inline pred not_pred(pred x) { return !x; }

#define COMPARES(T, R, AS) static inline pred setp_eq_##T(R x, R y) { return AS(x) == AS(y); } \
                           static inline pred setp_ne_##T(R x, R y) { return AS(x) != AS(y); } \
                           static inline pred setp_lt_##T(R x, R y) { return AS(x) < AS(y); } \
                           static inline pred setp_le_##T(R x, R y) { return AS(x) <= AS(y); } \
                           static inline pred setp_gt_##T(R x, R y) { return AS(x) > AS(y); } \
                           static inline pred setp_ge_##T(R x, R y) { return AS(x) >= AS(y); }
COMPARES(f32, u32, F)
static inline pred setp_leu_f32(u32 x, u32 y) { return !(F(x) > F(y)); }  // or not ordered
static inline pred setp_ltu_f32(u32 x, u32 y) { return !(F(x) >= F(y)); }
static inline pred setp_geu_f32(u32 x, u32 y) { return !(F(x) < F(y)); }
static inline pred setp_gtu_f32(u32 x, u32 y) { return !(F(x) <= F(y)); }
static inline pred setp_equ_f32(u32 x, u32 y) { return !(F(x) < F(y)) && !(F(x) > F(y)); }
static inline pred setp_neu_f32(u32 x, u32 y) { return F(x) != F(y); }
#define WHOLE(T, R) COMPARES(T, R, (T)) \
    static inline R add_##T(R x, R y) { return x + y; } \
    static inline R sub_##T(R x, R y) { return x - y; } \
    static inline R mul_lo_##T(R x, R y) { return (R)((u64)x * y); } \
    static inline R mad_lo_##T(R x, R y, R z) { return (R)((u64)x * y + z); } \
    static inline R div_##T(R x, R y) { return (R)((T)x / (T)y); } \
    static inline R rem_##T(R x, R y) { return (R)((T)x % (T)y); } \
    static inline R neg_##T(R x) { return -x; } \
    static inline R min_##T(R x, R y) { return (T)x < (T)y ? x : y; } \
    static inline R max_##T(R x, R y) { return (T)x > (T)y ? x : y; } \
    static inline R shr_##T(R x, u32 n) { return (R)((T)x >> n); }
WHOLE(u16, u16) WHOLE(s16, u16) WHOLE(u32, u32) WHOLE(s32, u32) WHOLE(u64, u64) WHOLE(s64, u64)
COMPARES(b32, u32, (u32)) COMPARES(b16, u16, (u16)) COMPARES(b64, u64, (u64))
static inline u32 mul_wide_u16(u16 x, u16 y) { return (u32)x * y; }
static inline u32 mul_wide_s16(u16 x, u16 y) { return (u32)((s32)(s16)x * (s16)y); }
static inline u64 mul_wide_u32(u32 x, u32 y) { return (u64)x * y; }
static inline u64 mul_wide_s32(u32 x, u32 y) { return (u64)((s64)(s32)x * (s32)y); }
static inline u16 mul_hi_u16(u16 x, u16 y) { return (u16)(mul_wide_u16(x, y) >> 16); }
static inline u32 mul_hi_u32(u32 x, u32 y) { return (u32)(mul_wide_u32(x, y) >> 32); }
static inline u32 mul_hi_s32(u32 x, u32 y) { return (u32)(mul_wide_s32(x, y) >> 32); }
static inline u32 prmt_b32(u32 x, u32 y, u32 picks) {  // four bytes of the eight of y and x
    const u64 bytes = (u64)y << 32 | x;
    u32 made = 0;
    for (int i = 0; i < 4; i++) {
        const u32 pick = picks >> 4 * i & 15, byte = bytes >> 8 * (pick & 7) & 0xff;
        made |= (pick & 8 ? (byte & 0x80 ? 0xffu : 0) : byte) << 8 * i;  // 8: its sign alone
    }
    return made;
}
static inline u32 dp2a_lo_u32_u32(u32 x, u32 y, u32 z) {
    return z + (x & 0xffff) * (y & 0xff) + (x >> 16) * (y >> 8 & 0xff);
}

#define CONVERT(TO, R, FROM, S) static inline R cvt_##TO##_##FROM(S x) { return (R)(TO)(FROM)x; }
CONVERT(s64, u64, s32, u32) CONVERT(u64, u64, u32, u32) CONVERT(u32, u32, u64, u64)
CONVERT(u16, u16, u32, u32) CONVERT(u32, u32, u16, u16) CONVERT(s32, u32, s16, u16)
CONVERT(s32, u32, u16, u16) CONVERT(u32, u32, s64, u64) CONVERT(s64, u64, u32, u32)
static inline u32 cvt_rn_f32_s32(u32 x) { return U((float)(s32)x); }
static inline u32 cvt_rn_f32_u32(u32 x) { return U((float)x); }
static inline u32 cvt_rni_f32_f32(u32 x) { return U(rintf(F(x))); }
static inline float saturated(float x) { return x > 1 ? 1 : x > 0 ? x : 0; }
static inline u32 cvt_sat_f32_f32(u32 x) { return U(saturated(F(x))); }

static inline u32 add_f32(u32 x, u32 y) { return U(F(x) + F(y)); }
static inline u32 sub_f32(u32 x, u32 y) { return U(F(x) - F(y)); }
static inline u32 mul_f32(u32 x, u32 y) { return U(F(x) * F(y)); }
static inline u32 div_rn_f32(u32 x, u32 y) { return U(F(x) / F(y)); }
static inline u32 fma_rn_f32(u32 x, u32 y, u32 z) { return U(fmaf(F(x), F(y), F(z))); }
static inline u32 fma_rm_f32(u32 x, u32 y, u32 z) {  // rounded down; a float64 holds the product
    const double exact = (double)F(x) * F(y) + F(z);
    const float near = (float)exact;
    return U(near > exact ? nextafterf(near, -INFINITY) : near);
}
static inline u32 neg_f32(u32 x) { return x ^ 0x80000000u; }
static inline u32 abs_f32(u32 x) { return x & 0x7fffffffu; }
static inline u32 min_f32(u32 x, u32 y) { return U(fminf(F(x), F(y))); }
static inline u32 max_f32(u32 x, u32 y) { return U(fmaxf(F(x), F(y))); }
static inline u32 copysign_f32(u32 sign, u32 x) { return U(copysignf(F(x), F(sign))); }
static inline u32 rcp_rn_f32(u32 x) { return U(1 / F(x)); }
static inline u32 rcp_approx_ftz_f32(u32 x) { return U(1 / F(x)); }
static inline u32 sqrt_rn_f32(u32 x) { return U(sqrtf(F(x))); }
static inline u32 ex2_approx_ftz_f32(u32 x) { return U(exp2f(F(x))); }
static inline u32 lg2_approx_ftz_f32(u32 x) { return U(log2f(F(x))); }

// --- a thread block -------------------------------------------------------------------------------

typedef struct {
    u32 tid_x, ntid_x, ctaid_x, ctaid_y, nctaid_x, nctaid_y;
    u32 waits, site, syncs, shuffles, given[2];  // what for, and where; warp's barriers behind it
    ucontext_t here;
} Thread;
enum { ENDED, BLOCK, WARP };

// What went wrong, counted: the first ones are described.
typedef struct { u32 races, unwritten, outside, divergent, unaligned, site; } Faults;
// One access to shared memory, to say afterwards which of a warp's lanes met in a bank.
typedef struct { u32 phase, site, turn, thread, word, words, store; } Access;

// Who touched a word since the block's last barrier: thread + 1 each, and how many barriers of its
// own warp were behind it. Of readers that no barrier parts the last one, and that there were more:
// lanes of its warp, or other warps.
typedef struct { u32 phase, reader, read, writer, wrote, ever; } Word;
enum { LANES = 1u << 30, WARPS = 1u << 31, STACK = 1 << 16 };

static Thread *now, *all;
static ucontext_t scheduler;
static void **params;
static char *shared;
static Word *words;
static u32 shared_bytes, phase, (*turns)[1024];
static Faults *faults;
static Access *accesses;
static u64 logged, log_size;
static u32 log_from, log_until, *slots;

// An instruction is issued. turns: how often by each thread in this phase.
#ifdef WATCHED
#define issue(site) turns[site][now->tid_x]++
#else
#define issue(site)
#endif
// How many a warp was issued in this phase: lanes that go apart, one after the other.
static u32 issued(u32 first) {
    u32 total = 0;
    for (u32 site = 0; site < SITES; site++) {
        u32 most = 0;
        for (u32 i = 0; i < 32; i++) if (turns[site][first + i] > most) most = turns[site][first + i];
        total += most;
    }
    return total;
}

static void fault(u32 *kind, u32 site) { if (!faults->site) faults->site = site; ++*kind; }

static void note(u32 site, u32 word, u32 count, int store) {
    if (log_from <= phase && phase < log_until && logged < log_size)
        accesses[logged++] = (Access){phase, site, turns[site][now->tid_x] - 1, now->tid_x,
                                      word, count, store};
}

// Whether another thread's access and this one's have no order: no barrier of a warp between them.
static int unordered(u32 other, u32 syncs) {
    const u32 me = now->tid_x + 1, last = other & ~LANES;
    if (!other || other == me) return 0;
    return other & WARPS || (last - 1) / 32 != (me - 1) / 32 || syncs >= now->syncs;
}

// Two threads may not touch a word between the same barriers if one of them writes it; what was
// never written may not be read. used: which of the words count, as bits; the compiler may load more
// than it needs, to load it at once.
static void touch(u32 address, u32 site, u32 count, u32 used, int store) {
    if (address % (4 * count)) fault(&faults->unaligned, site);
    if (address + 4 * count > shared_bytes) { fault(&faults->outside, site); return; }
    const u32 me = now->tid_x + 1;
    for (u32 i = 0; i < count; i++) {
        if (!(used >> i & 1)) continue;
        Word *w = &words[address / 4 + i];
        if (w->phase != phase) { w->phase = phase; w->reader = w->writer = 0; }
        if (unordered(w->writer, w->wrote)) fault(&faults->races, site);
        if (store) {
            if (unordered(w->reader, w->read)) fault(&faults->races, site);
            w->writer = me, w->wrote = now->syncs, w->ever = 1;
        } else {
            if (!w->ever) fault(&faults->unwritten, site);
            const u32 last = w->reader & ~LANES;
            if (w->reader && (last - 1) / 32 != (me - 1) / 32) w->reader = WARPS;
            else w->reader = me | (unordered(w->reader, w->read) ? LANES : 0);
            w->read = now->syncs;
        }
    }
    note(site, address / 4, count, store);
}
static inline u32 load_shared(u32 address, u32 i) {
    u32 x = 0;
    if (address + 4 * i + 4 <= shared_bytes) memcpy(&x, shared + address + 4 * i, 4);
    return x;
}
static inline void store_shared(u32 address, u32 i, u32 x) {
    if (address + 4 * i + 4 <= shared_bytes) memcpy(shared + address + 4 * i, &x, 4);
}
static inline u32 load_global(u64 address, u32 i) { u32 x; memcpy(&x, (char *)address + 4 * i, 4); return x; }
static inline void store_global(u64 address, u32 i, u32 x) { memcpy((char *)address + 4 * i, &x, 4); }

static void wait_for(u32 what, u32 site) {
    now->waits = what, now->site = site;
    swapcontext(&now->here, &scheduler);
}
static void warp_sync(u32 mask, u32 site) {
    if (mask != ~0u) fault(&faults->divergent, site);
    wait_for(WARP, site);
    now->syncs++;
}
// The value of the lane whose number differs by bits; a lane may give its next value before the last
// one has taken this, and no further. It does not order what the lanes do to memory.
static u32 shuffle(u32 value, u32 bits, u32 mask, u32 site) {
    const u32 turn = now->shuffles++ % 2;
    note(site, now->tid_x % 32, 1, 0);  // it takes the way of shared memory, a cycle
    now->given[turn] = value;
    if (mask != ~0u) fault(&faults->divergent, site);
    wait_for(WARP, site);
    return all[now->tid_x ^ bits].given[turn];
}

static void body(Thread *t);
static void fibre(void) { body(now); wait_for(ENDED, 0); }

// Lanes of a warp take turns until all wait for the block or have ended; those that wait for each
// other must do so at one place.
static void run_warp(u32 first, int forward) {
    for (u32 waiting = 1, stage = BLOCK; waiting; stage = WARP) {
        waiting = 0;
        for (u32 i = 0; i < 32; i++) {
            now = &all[first + (forward ? i : 31 - i)];
            if (now->waits != stage) continue;
            swapcontext(&scheduler, &now->here);
            waiting += now->waits == WARP;
        }
        for (u32 i = 1; i < 32; i++)
            if (waiting && all[first + i].site != all[first].site) {
                fault(&faults->divergent, all[first + i].site);
                return;
            }
        forward = !forward;
    }
}

// Run every block, one after the other. Warps take turns from barrier to barrier, first to last
// and last to first alternately, and so do a warp's lanes from shuffle to shuffle, so that an order which nothing keeps shows in the result.
void run(void **arguments, u32 blocks_x, u32 blocks_y, u32 threads, u32 bytes, Faults *found,
         Access *log, u64 size, u32 from, u32 until, u64 *used, u32 *issues) {
    all = calloc(threads, sizeof(Thread));
    char *stacks = malloc((size_t)STACK * threads);
    params = arguments, shared_bytes = bytes, faults = found, accesses = log, log_size = size;
    log_from = from, log_until = until, logged = 0;
    shared = malloc(bytes);
    words = malloc(bytes / 4 * sizeof(Word));
    turns = calloc(SITES, sizeof *turns);
    for (u32 block = 0; block < blocks_x * blocks_y; block++) {
        memset(shared, 0xff, bytes);  // NaN
        memset(words, 0, bytes / 4 * sizeof(Word));
        phase = 0;
        for (u32 i = 0; i < threads; i++) {
            Thread *t = &all[i];
            *t = (Thread){i, threads, block % blocks_x, block / blocks_x, blocks_x, blocks_y, BLOCK};
            getcontext(&t->here);
            t->here.uc_stack.ss_sp = stacks + (size_t)STACK * i;
            t->here.uc_stack.ss_size = STACK;
            makecontext(&t->here, fibre, 0);
        }
        for (u32 waiting = threads; waiting;) {
            waiting = 0;
            ++phase;
            const int watched = log_from <= phase && phase < log_until;
            if (watched) memset(turns, 0, SITES * sizeof *turns);
            for (u32 j = 0; j < threads; j += 32) run_warp(phase % 2 ? j : threads - 32 - j, phase % 2);
            for (u32 j = 0; watched && j < threads; j += 32)
                issues[((phase - from) * threads + j) / 32] = issued(j);
            for (u32 i = 0; i < threads; i++) waiting += all[i].waits == BLOCK;
            for (u32 i = 1; i < threads; i++)  // all wait at one barrier, or all have ended
                if (all[i].waits != all[0].waits || all[i].site != all[0].site) {
                    fault(&found->divergent, all[i].site);
                    waiting = 0;
                    break;
                }
        }
    }
    *used = logged;
    free(all), free(stacks), free(shared), free(words), free(turns);
}
