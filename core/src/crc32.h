/* SPDX-License-Identifier: MIT
 * CRC-32 of IEEE 802.3 (the one of zip and PNG), bit by bit: it runs over a few kilobytes when a model is read. */
#ifndef TD_CRC32_H
#define TD_CRC32_H

#include <stddef.h>
#include <stdint.h>

#define TD_CRC32_START 0xffffffffu

static inline uint32_t td_crc32_update(uint32_t crc, const void *data, size_t n)
{
    const unsigned char *p = (const unsigned char *)data;
    while (n--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    return crc;
}

static inline uint32_t td_crc32_end(uint32_t crc) { return ~crc; }

static inline void td_crc32_hex(uint32_t crc, char hex[9])
{
    for (int i = 0; i < 8; i++) hex[i] = "0123456789abcdef"[(crc >> (28 - 4 * i)) & 15u];
    hex[8] = 0;
}

#endif
