/* SPDX-License-Identifier: MIT
 * CRC-32 of IEEE 802.3 (the one of zip and PNG), bit by bit; from some kilobytes on four bytes at once, by
 * tables (slicing: Kounavis and Berry 2005). */
#ifndef TD_CRC32_H
#define TD_CRC32_H

#include <stddef.h>
#include <stdint.h>

#define TD_CRC32_START 0xffffffffu

static inline uint32_t td_crc32_shifted(uint32_t crc)
{
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
    return crc;
}

static inline uint32_t td_crc32_update(uint32_t crc, const void *data, size_t n)
{
    const unsigned char *p = (const unsigned char *)data;
    uint32_t table[4][256];
    for (; n && n < sizeof table; n--) crc = td_crc32_shifted(crc ^ *p++);
    if (!n) return crc;
    for (uint32_t i = 0; i < 256; i++) {
        table[0][i] = td_crc32_shifted(i);
        for (int k = 1; k < 4; k++) table[k][i] = td_crc32_shifted(table[k - 1][i]);
    }
    for (; n >= 4; n -= 4, p += 4) {
        crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        crc = table[3][crc & 255u] ^ table[2][crc >> 8 & 255u] ^ table[1][crc >> 16 & 255u] ^ table[0][crc >> 24];
    }
    while (n--) crc = td_crc32_shifted(crc ^ *p++);
    return crc;
}

static inline uint32_t td_crc32_end(uint32_t crc) { return ~crc; }

static inline void td_crc32_hex(uint32_t crc, char hex[9])
{
    for (int i = 0; i < 8; i++) hex[i] = "0123456789abcdef"[(crc >> (28 - 4 * i)) & 15u];
    hex[8] = 0;
}

#endif
