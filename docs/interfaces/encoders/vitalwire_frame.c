/* Writes the Vitalwire waveform frame, version 1. C99, no allocation, any byte order.
 *
 *   struct vw_writer w;
 *   vw_begin(&w, buffer, sizeof buffer, sequence, VW_HAS_TIME, time_us);
 *   vw_channel(&w, &channel, samples, count);      ... once a waveform
 *   size_t length = vw_end(&w);                     0: the buffer was too small
 *
 * Built with -DVW_EXAMPLE it prints the example of the documentation in hexadecimal:
 *   cc -std=c99 -Wall -DVW_EXAMPLE vitalwire_frame.c -o example && ./example
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum vw_encoding { VW_I16, VW_I24, VW_I32, VW_DELTA_VARINT };
enum vw_flags { VW_RECORDED = 1, VW_HAS_TIME = 2, VW_TEST = 4 };

#define VW_MISSING INT32_MIN /* a sample that is not there */

struct vw_channel {
    uint32_t metric;  /* context-free IEEE 11073-10101 code */
    uint32_t channel; /* which of several like channels */
    uint32_t unit;    /* context-free code of the unit; 0: the metric's own */
    uint32_t rate_numerator, rate_denominator; /* samples a second */
    int32_t delay_us; /* first sample, after the frame's time */
    uint8_t encoding; /* enum vw_encoding */
    uint8_t quality;
    double scale, offset; /* value = raw * scale + offset */
};

struct vw_writer {
    uint8_t *at, *end, *start;
    uint16_t channels;
    int full;
};

static void vw_bytes(struct vw_writer *w, uint64_t value, int count)
{
    if (w->full || w->end - w->at < count) {
        w->full = 1;
        return;
    }
    for (int i = 0; i < count; i++)
        *w->at++ = (uint8_t)(value >> (8 * i));
}

static void vw_double(struct vw_writer *w, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    vw_bytes(w, bits, 8);
}

void vw_begin(struct vw_writer *w, uint8_t *buffer, size_t size, uint32_t sequence, uint8_t flags, int64_t time_us)
{
    w->start = w->at = buffer;
    w->end = buffer + size;
    w->channels = 0;
    w->full = 0;
    vw_bytes(w, 0x46575756u, 4); /* "VWWF" */
    vw_bytes(w, 1, 1);
    vw_bytes(w, flags, 1);
    vw_bytes(w, 0, 2); /* number of channels: set by vw_end */
    vw_bytes(w, sequence, 4);
    vw_bytes(w, (uint64_t)time_us, 8);
}

static void vw_delta(struct vw_writer *w, int32_t sample, int64_t *previous)
{
    if (sample == VW_MISSING) {
        vw_bytes(w, 0, 1);
        return;
    }
    int64_t delta = sample - *previous;
    uint64_t number = (delta >= 0 ? (uint64_t)delta * 2 : (uint64_t)-delta * 2 - 1) + 1;
    *previous = sample;
    for (; number >= 0x80; number >>= 7)
        vw_bytes(w, (number & 0x7f) | 0x80, 1);
    vw_bytes(w, number, 1);
}

void vw_channel(struct vw_writer *w, const struct vw_channel *c, const int32_t *samples, uint32_t count)
{
    int64_t previous = 0;
    vw_bytes(w, c->metric, 4);
    vw_bytes(w, c->channel, 4);
    vw_bytes(w, c->unit, 4);
    vw_bytes(w, c->rate_numerator, 4);
    vw_bytes(w, c->rate_denominator, 4);
    vw_bytes(w, (uint32_t)c->delay_us, 4);
    vw_bytes(w, c->encoding, 1);
    vw_bytes(w, c->quality, 1);
    vw_bytes(w, 0, 2);
    vw_double(w, c->scale);
    vw_double(w, c->offset);
    vw_bytes(w, count, 4);
    uint8_t *length = w->at;
    vw_bytes(w, 0, 4);
    uint8_t *data = w->at;
    for (uint32_t i = 0; i < count; i++) {
        if (c->encoding == VW_DELTA_VARINT) {
            vw_delta(w, samples[i], &previous);
            continue;
        }
        int width = c->encoding == VW_I16 ? 2 : c->encoding == VW_I24 ? 3 : 4;
        int32_t most = (int32_t)(((int64_t)1 << (8 * width - 1)) - 1);
        int32_t raw = samples[i];
        if (raw == VW_MISSING)
            raw = -most - 1;
        else if (raw > most)
            raw = most;
        else if (raw < -most)
            raw = -most;
        vw_bytes(w, (uint32_t)raw, width);
    }
    if (!w->full) {
        uint32_t size = (uint32_t)(w->at - data);
        for (int i = 0; i < 4; i++)
            length[i] = (uint8_t)(size >> (8 * i));
        w->channels++;
    }
}

size_t vw_end(struct vw_writer *w)
{
    uint32_t crc = 0xffffffffu; /* CRC-32 as zlib and Ethernet have it */
    if (w->full)
        return 0;
    w->start[6] = (uint8_t)w->channels;
    w->start[7] = (uint8_t)(w->channels >> 8);
    for (const uint8_t *byte = w->start; byte < w->at; byte++) {
        crc ^= *byte;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    vw_bytes(w, crc ^ 0xffffffffu, 4);
    return w->full ? 0 : (size_t)(w->at - w->start);
}

#ifdef VW_EXAMPLE
#include <stdio.h>

int main(void)
{
    static uint8_t buffer[1024];
    const int32_t gap[] = {-40, -29, -18, VW_MISSING, 4, 15, 26, 37};
    const int32_t steep[] = {-40, -70040, -140040, -210040};
    const int32_t wide[] = {-40, 999960, 1999960};
    struct vw_channel c = {150036, 0, 0, 125, 2, 0, VW_I16, 0, 0.5, -1.25};
    struct vw_writer w;
    vw_begin(&w, buffer, sizeof buffer, 4711, VW_HAS_TIME, INT64_C(1700000000123456));
    vw_channel(&w, &c, gap, 8);
    c.encoding = VW_I24, c.channel = 2, c.delay_us = -8000, c.quality = 1;
    vw_channel(&w, &c, steep, 4);
    c.encoding = VW_I32, c.channel = 0, c.delay_us = 0, c.quality = 0, c.unit = 266016;
    vw_channel(&w, &c, wide, 3);
    c.encoding = VW_DELTA_VARINT, c.unit = 0;
    vw_channel(&w, &c, gap, 8);
    size_t length = vw_end(&w);
    for (size_t i = 0; i < length; i++)
        printf("%02x%s", buffer[i], i % 32 == 31 || i + 1 == length ? "\n" : "");
    return length == 0;
}
#endif
