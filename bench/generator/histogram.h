// Latencies in buckets whose width grows with the value: 256 to each power of two, so that a percentile is right to 0.4 %.
#pragma once
#include <stdint.h>
#include <string.h>

enum { PRECISION = 8, BUCKETS = (65 - PRECISION) << PRECISION };

typedef struct {
  uint64_t counts[BUCKETS];
  uint64_t total;
  uint64_t max;
} Histogram;

static inline void clear(Histogram *histogram) { memset(histogram, 0, sizeof *histogram); }

static inline void record(Histogram *histogram, uint64_t ns) {
  int power = ns < 2 << PRECISION ? 0 : 63 - PRECISION - __builtin_clzll(ns);
  histogram->counts[((uint64_t)power << PRECISION) + (ns >> power)]++;
  histogram->total++;
  if (ns > histogram->max) histogram->max = ns;
}

// The value (ns) that a share of all values, such as 0.99, does not exceed; 0 if there are none.
static inline uint64_t at_share(const Histogram *histogram, double share) {
  uint64_t wanted = (uint64_t)(share * histogram->total), seen = 0;
  if (wanted * 1.0 < share * histogram->total) wanted++;
  for (int i = 0; i < BUCKETS; i++) {
    seen += histogram->counts[i];
    if (seen < wanted || seen == 0) continue;
    int power = i < 2 << PRECISION ? 0 : (i >> PRECISION) - 1;
    uint64_t most = ((uint64_t)(i - (power << PRECISION)) + 1) << power;
    return most - 1 < histogram->max ? most - 1 : histogram->max;
  }
  return 0;
}
