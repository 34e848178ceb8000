// Attention on the matrix tiles of AMX-BF16 (Sapphire Rapids and later). A head of 32 dimensions is exactly one tile deep, so every product of
// 16 × 16 values is one instruction. The other kernels are those of kernels_avx512.c.
#include "kernels_avx512.c"
#include <sys/syscall.h>
#include <unistd.h>

typedef struct { uint8_t palette, row, zero[14]; uint16_t bytes[16]; uint8_t rows[16]; } __attribute__((packed, aligned(64))) tiles_t;
static const tiles_t all_tiles = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

// Asks the kernel for the tile registers; 0 if it grants them.
int amx_request(void) { return (int)syscall(SYS_arch_prctl, 0x1023, 18); }

// Rows a, b of 32 values become 32 pairs (a[i], b[i]): the layout of a tile's second operand.
static inline void pair_rows(const bf *a, const bf *b, bf *out) {
  for (int h = 0; h < 2; h++) {
    __m512i x = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(a + 16 * h)));
    __m512i y = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(b + 16 * h)));
    _mm512_store_si512(out + 32 * h, _mm512_or_si512(x, _mm512_slli_epi32(y, 16)));
  }
}
// [rows/2][32][2] from rows of 32.
static void pack_pairs(const bf *rows, bf *out, long n) { for (long j = 0; j < n; j += 2) pair_rows(rows + j * 32, rows + j * 32 + 32, out + j * 32); }
// [rows/16][16 pairs of dimensions][16 rows][2] from rows of 32: the transposed second operand.
static void pack_turned(const bf *rows, bf *out, long n) {
  const int32_t *in = (const int32_t *)rows; int32_t *o = (int32_t *)out;
  const __m512i step = _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi32(16));
  for (long j = 0; j < n; j += 16) for (int p = 0; p < 16; p++) _mm512_store_si512(o + j * 16 + p * 16, _mm512_i32gather_epi32(step, in + j * 16 + p, 4));
}
#define S(i) (64 * (i))
// C4..C7 = (A0, A1) × (B2, B3), with A and B loaded from the given places.
#define PRODUCTS() do { _tile_dpbf16ps(4, 0, 2); _tile_dpbf16ps(5, 0, 3); _tile_dpbf16ps(6, 1, 2); _tile_dpbf16ps(7, 1, 3); } while (0)
#define ZERO() do { _tile_zero(4); _tile_zero(5); _tile_zero(6); _tile_zero(7); } while (0)
#define STORE(p, stride) do { _tile_stored(4, (p), (stride) * 4); _tile_stored(5, (p) + 16, (stride) * 4); _tile_stored(6, (p) + 16 * (stride), (stride) * 4); _tile_stored(7, (p) + 16 * (stride) + 16, (stride) * 4); } while (0)
#define LOAD(p, stride) do { _tile_loadd(4, (p), (stride) * 4); _tile_loadd(5, (p) + 16, (stride) * 4); _tile_loadd(6, (p) + 16 * (stride), (stride) * 4); _tile_loadd(7, (p) + 16 * (stride) + 16, (stride) * 4); } while (0)

static void turn_rows(const bf *qkv, long W, long at, const float *cs, const float *sn, float scale, bf *out, long T, long Tp) {
  float tmp[32];
  for (long j = 0; j < T; j++) { rope(qkv + j * W + at, cs + j * 16, sn + j * 16, scale, tmp); st16(out + j * 32, _mm512_loadu_ps(tmp)); st16(out + j * 32 + 16, _mm512_loadu_ps(tmp + 16)); }
  memset(out + T * 32, 0, (Tp - T) * 64);
}

void amx_attn_f(const bf *qkv, const float *cs, const float *sn, bf *o, float *lse, long B, long T, long H, long KV) {
  long W = (H + 2 * KV) * HD, G = H / KV, Tp = (T + 31) / 32 * 32;
#pragma omp parallel
  {
    _tile_loadconfig(&all_tiles);
    bf *kr = al(Tp * 64), *vr = al(Tp * 64), *kb = al(Tp * 64), *vp = al(Tp * 64), *qr = al(Tp * 64), *P = al(32 * Tp * 2);
    float *Sb = al(32 * Tp * 4), *O = al(32 * 32 * 4), inv[32];
#pragma omp for schedule(dynamic)
    for (long bk = 0; bk < B * KV; bk++) {
      long b = bk / KV, g = bk % KV; const bf *rows = qkv + b * T * W;
      turn_rows(rows, W, (H + g) * HD, cs, sn, 1.f, kr, T, Tp);
      for (long j = 0; j < T; j++) memcpy(vr + j * 32, rows + j * W + (H + KV + g) * HD, 64);
      memset(vr + T * 32, 0, (Tp - T) * 64);
      pack_turned(kr, kb, Tp); pack_pairs(vr, vp, Tp);
      for (long h = g * G; h < g * G + G; h++) {
        turn_rows(rows, W, h * HD, cs, sn, 0.17677669f, qr, T, Tp);
        for (long q = 0; q < Tp / 32; q++) {
          long n = (q + 1) * 32;
          _tile_loadd(0, qr + q * 1024, 64); _tile_loadd(1, qr + q * 1024 + 512, 64);
          for (long k = 0; k <= q; k++) {
            ZERO(); _tile_loadd(2, kb + k * 1024, 64); _tile_loadd(3, kb + k * 1024 + 512, 64); PRODUCTS(); STORE(Sb + k * 32, Tp);
          }
          for (int r = 0; r < 32; r++) {
            float *s = Sb + r * Tp; long t = q * 32 + r;
            __mmask16 m0 = r < 15 ? (__mmask16)((2u << r) - 1) : 0xffff, m1 = r < 16 ? 0 : (__mmask16)((2u << (r - 16)) - 1);
            __m512 low = _mm512_set1_ps(-1e30f), mx = low;
            _mm512_store_ps(s + n - 32, _mm512_mask_mov_ps(low, m0, _mm512_load_ps(s + n - 32)));
            _mm512_store_ps(s + n - 16, _mm512_mask_mov_ps(low, m1, _mm512_load_ps(s + n - 16)));
            for (long k = 0; k < n; k += 16) mx = _mm512_max_ps(mx, _mm512_load_ps(s + k));
            float m = _mm512_reduce_max_ps(mx); __m512 M = _mm512_set1_ps(m), su = _mm512_setzero_ps(), sv = su;
            for (long k = 0; k < n; k += 32) {
              __m512 e = vexp(_mm512_sub_ps(_mm512_load_ps(s + k), M)), f = vexp(_mm512_sub_ps(_mm512_load_ps(s + k + 16), M));
              su = _mm512_add_ps(su, e); sv = _mm512_add_ps(sv, f); st16(P + r * Tp + k, e); st16(P + r * Tp + k + 16, f);
            }
            float sum = _mm512_reduce_add_ps(_mm512_add_ps(su, sv)); inv[r] = 1.f / sum;
            if (t < T) lse[(b * H + h) * T + t] = m + logf(sum);
          }
          ZERO();
          for (long k = 0; k <= q; k++) {
            _tile_loadd(0, P + k * 32, Tp * 2); _tile_loadd(1, P + 16 * Tp + k * 32, Tp * 2);
            _tile_loadd(2, vp + k * 1024, 128); _tile_loadd(3, vp + k * 1024 + 32, 128); PRODUCTS();
          }
          STORE(O, 32);
          for (int r = 0; r < 32 && q * 32 + r < T; r++) {
            bf *op = o + (b * T + q * 32 + r) * H * HD + h * HD; __m512 R = _mm512_set1_ps(inv[r]);
            st16(op, _mm512_mul_ps(R, _mm512_load_ps(O + r * 32))); st16(op + 16, _mm512_mul_ps(R, _mm512_load_ps(O + r * 32 + 16)));
          }
        }
      }
    }
    free(kr); free(vr); free(kb); free(vp); free(qr); free(P); free(Sb); free(O);
    _tile_release();
  }
}

void amx_attn_b(const bf *qkv, const float *cs, const float *sn, const bf *o, const float *lse, const bf *dO, bf *dqkv, long B, long T, long H, long KV) {
  long W = (H + 2 * KV) * HD, G = H / KV, Tp = (T + 31) / 32 * 32;
#pragma omp parallel
  {
    _tile_loadconfig(&all_tiles);
    size_t n = Tp * 64;
    bf *kr = al(n), *vr = al(n), *kt = al(n), *qr = al(n), *qb = al(n), *qp = al(n), *orow = al(n), *ob = al(n), *opair = al(n);
    float *dk = al(2 * n), *dv = al(2 * n), *dq = al(2 * n), *L = al(Tp * 4), *D = al(Tp * 4), *St = al(4096), *Dt = al(4096);
    bf *Pa = al(2048), *Da = al(2048), *Db = al(2048);
#pragma omp for schedule(dynamic)
    for (long bk = 0; bk < B * KV; bk++) {
      long b = bk / KV, g = bk % KV; const bf *rows = qkv + b * T * W;
      turn_rows(rows, W, (H + g) * HD, cs, sn, 1.f, kr, T, Tp);
      for (long j = 0; j < T; j++) memcpy(vr + j * 32, rows + j * W + (H + KV + g) * HD, 64);
      memset(vr + T * 32, 0, (Tp - T) * 64);
      for (long j = 0; j < Tp; j++) for (int z = 0; z < 32; z++) kt[z * Tp + j] = kr[j * 32 + z];
      memset(dk, 0, 2 * n); memset(dv, 0, 2 * n);
      for (long h = g * G; h < g * G + G; h++) {
        turn_rows(rows, W, h * HD, cs, sn, 0.17677669f, qr, T, Tp);
        for (long t = 0; t < Tp; t++) {
          if (t >= T) { L[t] = 1e30f; D[t] = 0; memset(orow + t * 32, 0, 64); continue; }
          const bf *dp = dO + (b * T + t) * H * HD + h * HD, *op = o + (b * T + t) * H * HD + h * HD;
          D[t] = _mm512_reduce_add_ps(_mm512_fmadd_ps(ld16(dp), ld16(op), _mm512_mul_ps(ld16(dp + 16), ld16(op + 16))));
          L[t] = lse[(b * H + h) * T + t]; memcpy(orow + t * 32, dp, 64);
        }
        pack_turned(qr, qb, Tp); pack_pairs(qr, qp, Tp); pack_turned(orow, ob, Tp); pack_pairs(orow, opair, Tp);
        memset(dq, 0, 2 * n);
        for (long k = 0; k < Tp / 32; k++) for (long q = k; q < Tp / 32; q++) {
          ZERO(); _tile_loadd(0, kr + k * 1024, 64); _tile_loadd(1, kr + k * 1024 + 512, 64);
          _tile_loadd(2, qb + q * 1024, 64); _tile_loadd(3, qb + q * 1024 + 512, 64); PRODUCTS(); STORE(St, 32);
          ZERO(); _tile_loadd(0, vr + k * 1024, 64); _tile_loadd(1, vr + k * 1024 + 512, 64);
          _tile_loadd(2, ob + q * 1024, 64); _tile_loadd(3, ob + q * 1024 + 512, 64); PRODUCTS(); STORE(Dt, 32);
          for (int c = 0; c < 32; c += 16) {
            __m512 l = _mm512_load_ps(L + q * 32 + c), d = _mm512_load_ps(D + q * 32 + c);
            for (int r = 0; r < 32; r += 2) {
              __m512 p0 = vexp(_mm512_sub_ps(_mm512_load_ps(St + r * 32 + c), l)), p1 = vexp(_mm512_sub_ps(_mm512_load_ps(St + r * 32 + 32 + c), l));
              if (k == q) { // key r is seen by queries r and later
                long s0 = r - c, s1 = s0 + 1;
                p0 = _mm512_maskz_mov_ps(s0 <= 0 ? 0xffff : s0 > 15 ? 0 : (__mmask16)(0xffffu << s0), p0);
                p1 = _mm512_maskz_mov_ps(s1 <= 0 ? 0xffff : s1 > 15 ? 0 : (__mmask16)(0xffffu << s1), p1);
              }
              __m512 d0 = _mm512_mul_ps(p0, _mm512_sub_ps(_mm512_load_ps(Dt + r * 32 + c), d)), d1 = _mm512_mul_ps(p1, _mm512_sub_ps(_mm512_load_ps(Dt + r * 32 + 32 + c), d));
              st16(Pa + r * 32 + c, p0); st16(Pa + r * 32 + 32 + c, p1); st16(Da + r * 32 + c, d0); st16(Da + r * 32 + 32 + c, d1);
              _mm512_store_si512(Db + (c / 16) * 512 + r * 16, ilv(d0, d1));
            }
          }
          LOAD(dv + k * 1024, 32); _tile_loadd(0, Pa, 64); _tile_loadd(1, Pa + 512, 64);
          _tile_loadd(2, opair + q * 1024, 128); _tile_loadd(3, opair + q * 1024 + 32, 128); PRODUCTS(); STORE(dv + k * 1024, 32);
          LOAD(dk + k * 1024, 32); _tile_loadd(0, Da, 64); _tile_loadd(1, Da + 512, 64);
          _tile_loadd(2, qp + q * 1024, 128); _tile_loadd(3, qp + q * 1024 + 32, 128); PRODUCTS(); STORE(dk + k * 1024, 32);
          LOAD(dq + q * 32, Tp); _tile_loadd(0, kt + k * 32, Tp * 2); _tile_loadd(1, kt + 16 * Tp + k * 32, Tp * 2);
          _tile_loadd(2, Db, 64); _tile_loadd(3, Db + 512, 64); PRODUCTS(); STORE(dq + q * 32, Tp);
        }
        float tmp[32];
        for (long t = 0; t < T; t++) { for (int z = 0; z < 32; z++) tmp[z] = dq[z * Tp + t]; unrope(tmp, cs + t * 16, sn + t * 16, 0.17677669f, dqkv + (b * T + t) * W + h * HD); }
      }
      for (long j = 0; j < T; j++) {
        bf *r = dqkv + (b * T + j) * W; unrope(dk + j * 32, cs + j * 16, sn + j * 16, 1.f, r + (H + g) * HD);
        st16(r + (H + KV + g) * HD, _mm512_load_ps(dv + j * 32)); st16(r + (H + KV + g) * HD + 16, _mm512_load_ps(dv + j * 32 + 16));
      }
    }
    free(kr); free(vr); free(kt); free(qr); free(qb); free(qp); free(orow); free(ob); free(opair);
    free(dk); free(dv); free(dq); free(L); free(D); free(St); free(Dt); free(Pa); free(Da); free(Db);
    _tile_release();
  }
}
