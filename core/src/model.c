/* SPDX-License-Identifier: MIT
 * Reads a model file from memory (spec 8). Nothing of a file is believed before it was checked; whatever is not expected is refused. */
#include "model.h"

#include "crc32.h"
#include "json.h"
#include "params.h"
#include "td_math.h"
#include "text.h"

const float td_least_span[TD_FEATURES] = {6.0f, 3.0f, 6.0f};

enum { LENGTH_BYTES = 8, MAX_HEADER = 65536, MAX_LAYERS = TD_MAX_HIDDEN + 1, MAX_WINDOW = 256, MIN_WINDOW = 16 };
static const double largest_number = 1e6;

/* ---- what a header may name ---- */

enum {
    T_PRESET,
    T_DAMPING,
    T_MIN,
    T_MAX,
    T_REFERENCE,
    T_LOW,
    T_HIGH,
    T_NAMED,
    T_WEIGHT = T_NAMED,
    T_BIAS = T_WEIGHT + MAX_LAYERS,
    T_COUNT = T_BIAS + MAX_LAYERS
};
static const char *const tensor_names[T_NAMED] = {"preset", "damping", "min", "max", "reference", "low", "high"};

enum {
    M_FORMAT,
    M_VOICE,
    M_PARAMETERS,
    M_FEATURES,
    M_DETECTOR,
    M_WINDOW,
    M_PREROLL,
    M_SAMPLE_RATE,
    M_ACTIVATION,
    M_NORM,
    M_OUTPUT,
    M_NAME,
    M_AUTHOR,
    M_LICENSE,
    M_SOURCE,
    M_CRC32,
    M_COUNT
};
static const char *const metadata_names[M_COUNT] = {"format",  "voice",       "parameters", "features", "detector", "window",
                                                    "preroll", "sample_rate", "activation", "norm",     "output",   "name",
                                                    "author",  "license",     "source",     "crc32"};

typedef struct tensor {
    int present;
    size_t rows, columns, offset;
} tensor; /* columns 0: one dimension */

typedef struct reader {
    const unsigned char *file, *data;
    size_t data_bytes;
    tensor tensors[T_COUNT];
    char metadata[M_COUNT][TD_NAME_BYTES];
    td_text why;
} reader;

static td_status refuse(reader *r, const char *a, const char *b, const char *c)
{
    if (r->why.length == 0) {
        td_text_add(&r->why, a);
        td_text_add(&r->why, b);
        td_text_add(&r->why, c);
    }
    return TD_ERR_FORMAT;
}

static int find(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (td_same_text(names[i], name)) return i;
    return -1;
}

/* "layers.2.weight" and its like */
static int find_tensor(const char *name)
{
    static const char prefix[] = "layers.";
    const size_t digit = sizeof prefix - 1;
    if (memcmp(name, prefix, digit) == 0 && name[digit] >= '0' && name[digit] < '0' + MAX_LAYERS) {
        if (td_same_text(name + digit + 1, ".weight")) return T_WEIGHT + (name[digit] - '0');
        if (td_same_text(name + digit + 1, ".bias")) return T_BIAS + (name[digit] - '0');
    }
    return find(tensor_names, T_NAMED, name);
}

/* ---- header ---- */

static td_status read_metadata(reader *r, td_json *j)
{
    char key[32];
    int seen[M_COUNT] = {0};
    if (td_json_open(j, '{')) {
        for (int first = 1; td_json_more(j, '}', &first);) {
            if (!td_json_key(j, key, sizeof key)) break;
            const int m = find(metadata_names, M_COUNT, key);
            if (m < 0) return refuse(r, "metadata entry ", key, " is unknown");
            if (seen[m]++) return refuse(r, "metadata entry ", key, " stands twice");
            if (!td_json_string(j, r->metadata[m], TD_NAME_BYTES)) break;
        }
    }
    if (j->error) return TD_ERR_FORMAT;
    for (int m = 0; m < M_COUNT; m++)
        if (!seen[m]) return refuse(r, "metadata entry ", metadata_names[m], " is missing");
    return TD_OK;
}

static td_status read_tensor(reader *r, td_json *j, const char *name, size_t *data_at)
{
    char word[32];
    int has_dtype = 0, has_shape = 0, has_offsets = 0;
    size_t dims[2] = {0, 0}, count = 0, from = 0, to = 0;
    const int t = find_tensor(name);
    if (t < 0) return refuse(r, "tensor ", name, " is unknown");
    if (r->tensors[t].present) return refuse(r, "tensor ", name, " stands twice");
    if (td_json_open(j, '{')) {
        for (int first = 1; td_json_more(j, '}', &first);) {
            if (!td_json_key(j, word, sizeof word)) break;
            if (td_same_text(word, "dtype") && !has_dtype++) {
                if (td_json_string(j, word, sizeof word) && !td_same_text(word, "F32")) return refuse(r, "tensor ", name, " is not F32");
            } else if (td_same_text(word, "shape") && !has_shape++) {
                if (!td_json_open(j, '[')) break;
                for (int f = 1; td_json_more(j, ']', &f); count++) {
                    if (count == 2) return refuse(r, "tensor ", name, " has more than two dimensions");
                    if (!td_json_size(j, &dims[count])) break;
                }
            } else if (td_same_text(word, "data_offsets") && !has_offsets++) {
                int f = 1;
                if (td_json_open(j, '[') && td_json_more(j, ']', &f) && td_json_size(j, &from) && td_json_more(j, ']', &f) &&
                    td_json_size(j, &to) && td_json_more(j, ']', &f))
                    return refuse(r, "tensor ", name, " has more than two offsets");
            } else {
                return refuse(r, "tensor ", name, " has an unknown or repeated entry");
            }
        }
    }
    if (j->error) return TD_ERR_FORMAT;
    if (!has_dtype || !has_shape || !has_offsets || count == 0) return refuse(r, "tensor ", name, " lacks dtype, shape or data_offsets");
    const size_t columns = count == 2 ? dims[1] : 1;
    if (dims[0] < 1 || dims[0] > TD_MAX_WIDTH || columns < 1 || columns > TD_MAX_WIDTH)
        return refuse(r, "tensor ", name, " has a size beyond 1 to 128");
    if (from != *data_at || to != from + 4 * dims[0] * columns || to > r->data_bytes)
        return refuse(r, "tensor ", name, " does not lie where it should in the file");
    *data_at = to;
    r->tensors[t].present = 1;
    r->tensors[t].rows = dims[0];
    r->tensors[t].columns = count == 2 ? dims[1] : 0;
    r->tensors[t].offset = from;
    return TD_OK;
}

static td_status read_header(reader *r, const char *header, size_t bytes)
{
    char name[32];
    int has_metadata = 0;
    size_t data_at = 0;
    td_status status = TD_OK;
    td_json j = td_json_in(header, bytes);
    if (td_json_open(&j, '{')) {
        for (int first = 1; status == TD_OK && td_json_more(&j, '}', &first);) {
            if (!td_json_key(&j, name, sizeof name)) break;
            if (!td_same_text(name, "__metadata__"))
                status = read_tensor(r, &j, name, &data_at);
            else
                status = has_metadata++ ? refuse(r, "the metadata stand twice", "", "") : read_metadata(r, &j);
        }
        if (status == TD_OK) td_json_end(&j);
    }
    if (j.error) return refuse(r, "the header cannot be read: ", j.error, "");
    if (status != TD_OK) return status;
    if (!has_metadata) return refuse(r, "the file is not a torchdrum model (it has no metadata)", "", "");
    if (data_at != r->data_bytes) return refuse(r, "something is left over at the end of the file", "", "");
    return TD_OK;
}

/* ---- values ---- */

static td_status check_crc(reader *r, size_t file_bytes, size_t header_bytes)
{
    static const char mark[] = "\"crc32\":\"";
    const size_t length = sizeof mark - 1, end = LENGTH_BYTES + header_bytes;
    for (size_t at = LENGTH_BYTES; at + length + 8 <= end; at++) {
        if (memcmp(r->file + at, mark, length) != 0) continue;
        char hex[9];
        const size_t digits = at + length;
        uint32_t crc = td_crc32_update(TD_CRC32_START, r->file, digits);
        crc = td_crc32_update(crc, "00000000", 8);
        crc = td_crc32_update(crc, r->file + digits + 8, file_bytes - digits - 8);
        td_crc32_hex(td_crc32_end(crc), hex);
        if (memcmp(hex, r->file + digits, 8) == 0) return TD_OK;
        return refuse(r, "the file is damaged (its checksum is wrong)", "", "");
    }
    return refuse(r, "the file is not a torchdrum model (it has no checksum)", "", "");
}

/* A tensor of rows x columns numbers, columns first: to[column][row]. */
static td_status read_transposed(reader *r, int t, const char *name, float *to, size_t rows, size_t columns, double lo, double hi)
{
    const tensor *x = &r->tensors[t];
    if (!x->present) return refuse(r, "tensor ", name, " is missing");
    if (x->rows * (x->columns ? x->columns : 1) != rows * columns) return refuse(r, "tensor ", name, " has the wrong size");
    const unsigned char *p = r->data + x->offset;
    for (size_t i = 0; i < rows * columns; i++, p += 4) {
        const uint32_t bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        float value;
        memcpy(&value, &bits, sizeof bits);
        if (!td_is_finite(value) || (double)value < lo || (double)value > hi)
            return refuse(r, "tensor ", name, " holds a number that is not finite or out of range");
        to[i % columns * rows + i / columns] = td_flush(value);
    }
    return TD_OK;
}

static td_status read_floats(reader *r, int t, const char *name, float *to, size_t count, double lo, double hi)
{
    return read_transposed(r, t, name, to, count, 1, lo, hi);
}

/* Whole number in decimal digits, or -1. */
static int whole(const char *digits)
{
    int value = 0;
    if (!*digits) return -1;
    for (; *digits; digits++) {
        if (*digits < '0' || *digits > '9' || value > 99999) return -1;
        value = value * 10 + (*digits - '0');
    }
    return value;
}

static td_status read_choice(reader *r, int m, const char *const *choices, int count, int *choice)
{
    *choice = find(choices, count, r->metadata[m]);
    if (*choice >= 0) return TD_OK;
    refuse(r, metadata_names[m], " is not known here: ", r->metadata[m]);
    return TD_ERR_FORMAT;
}

static td_status read_detector(reader *r)
{
    char word[TD_WORD_BYTES];
    for (int i = 0; td_control_choice(TD_CONTROL_detector, i, word); i++)
        if (td_same_text(word, r->metadata[M_DETECTOR])) return TD_OK;
    return refuse(r, metadata_names[M_DETECTOR], " is not known here: ", r->metadata[M_DETECTOR]);
}

static td_status read_choices(reader *r, td_mlp *shape)
{
    static const char *const format[] = {"torchdrum 1"}, *const voice[] = {"snare808"}, *const features[] = {"onset3-1"};
    static const char *const activations[] = {"relu", "tanh"}, *const norms[] = {"none", "layer"};
    static const char *const outputs[] = {"tanh", "clamp"};
    int one, activation, norm, output;
    if (read_choice(r, M_FORMAT, format, 1, &one) || read_choice(r, M_VOICE, voice, 1, &one) ||
        read_choice(r, M_FEATURES, features, 1, &one) || read_detector(r) || read_choice(r, M_ACTIVATION, activations, 2, &activation) ||
        read_choice(r, M_NORM, norms, 2, &norm) || read_choice(r, M_OUTPUT, outputs, 2, &output))
        return TD_ERR_FORMAT;
    shape->activation = activation ? TD_TANH : TD_RELU;
    shape->norm = norm ? TD_NORM_LAYER : TD_NORM_NONE;
    shape->output = output ? TD_OUTPUT_CLAMP : TD_OUTPUT_TANH;
    return TD_OK;
}

static td_status read_shape(reader *r, td_mlp *shape)
{
    shape->width[0] = TD_FEATURES;
    for (int l = 0; l < MAX_LAYERS; l++) {
        const tensor *weight = &r->tensors[T_WEIGHT + l], *bias = &r->tensors[T_BIAS + l];
        if (!weight->present) {
            for (int k = l; k < MAX_LAYERS; k++)
                if (r->tensors[T_WEIGHT + k].present || r->tensors[T_BIAS + k].present)
                    return refuse(r, "a layer of the network is missing", "", "");
            break;
        }
        if ((int)weight->columns != shape->width[l]) return refuse(r, "the layers of the network do not fit together", "", "");
        if (bias->present && bias->rows * (bias->columns ? bias->columns : 1) != weight->rows)
            return refuse(r, "a bias of the network has the wrong size", "", "");
        shape->width[l + 1] = (int)weight->rows;
        shape->layers = l + 1;
    }
    if (shape->layers == 0) return refuse(r, "the network has no layers", "", "");
    if (shape->width[shape->layers] > TD_PARAMS) return refuse(r, "the network has more outputs than the voice has parameters", "", "");
    return TD_OK;
}

static td_status read_weights(reader *r, const td_mlp *shape, float *to)
{
    for (int l = 0; l < shape->layers; l++) {
        const size_t rows = (size_t)shape->width[l + 1], columns = (size_t)shape->width[l];
        if (read_transposed(r, T_WEIGHT + l, "weight", to, rows, columns, -largest_number, largest_number)) return TD_ERR_FORMAT;
        to += rows * columns;
        if (!r->tensors[T_BIAS + l].present)
            memset(to, 0, rows * sizeof *to);
        else if (read_floats(r, T_BIAS + l, "bias", to, rows, -largest_number, largest_number))
            return TD_ERR_FORMAT;
        to += rows;
    }
    return TD_OK;
}

static td_status read_preset(reader *r, int params, td_preset *preset)
{
    for (int i = 0; i < TD_PARAMS; i++) { /* those the model does not have: default, no modulation */
        preset->value[i] = td_param(i)->def;
        preset->damping[i] = 0.0f;
    }
    if (read_floats(r, T_PRESET, "preset", preset->value, (size_t)params, -largest_number, largest_number) ||
        read_floats(r, T_DAMPING, "damping", preset->damping, (size_t)params, 0.0, TD_MAX_DAMPING))
        return TD_ERR_FORMAT;
    for (int i = 0; i < params; i++)
        if (preset->value[i] < td_param(i)->min || preset->value[i] > td_param(i)->max)
            return refuse(r, "the preset is out of range at ", td_param(i)->name, "");
    return TD_OK;
}

static td_status read_range(reader *r, td_model_info *info)
{
    if (read_floats(r, T_MIN, "min", info->min, TD_FEATURES, -largest_number, largest_number) ||
        read_floats(r, T_MAX, "max", info->max, TD_FEATURES, -largest_number, largest_number) ||
        read_floats(r, T_REFERENCE, "reference", info->reference, TD_FEATURES, -largest_number, largest_number))
        return TD_ERR_FORMAT;
    for (int f = 0; f < TD_FEATURES; f++)
        if (!(info->max[f] - info->min[f] >= td_least_span[f]))
            return refuse(r, "the range of the features is too narrow (less than 6 dB, 3 semitones or 6 dB)", "", "");
    return TD_OK;
}

/* Where most of the strokes lay that the model learnt from; of a model that does not tell, as if they filled its range evenly. */
static td_status read_strokes(reader *r, td_model_info *info)
{
    if (!r->tensors[T_LOW].present && !r->tensors[T_HIGH].present) {
        for (int f = 0; f < TD_FEATURES; f++) {
            const float span = info->max[f] - info->min[f];
            info->low[f] = info->min[f] + 0.1f * span;
            info->high[f] = info->max[f] - 0.1f * span;
        }
        return TD_OK;
    }
    if (read_floats(r, T_LOW, "low", info->low, TD_FEATURES, -largest_number, largest_number) ||
        read_floats(r, T_HIGH, "high", info->high, TD_FEATURES, -largest_number, largest_number))
        return TD_ERR_FORMAT;
    for (int f = 0; f < TD_FEATURES; f++)
        if (!(info->high[f] - info->low[f] >= 0.1f * (info->max[f] - info->min[f])))
            return refuse(r, "high is not above low by a tenth of the features' range", "", "");
    return TD_OK;
}

static td_status read_info(reader *r, const td_mlp *shape, td_model_info *info)
{
    char hash[9];
    info->params = shape->width[shape->layers];
    info->hidden = shape->layers - 1;
    for (int l = 0; l < info->hidden; l++) info->width[l] = shape->width[l + 1];
    td_param_table_hash(info->params, hash);
    if (!td_same_text(hash, r->metadata[M_PARAMETERS]))
        return refuse(r, "the model was made for another table of parameters; train it again with this version", "", "");
    info->window = whole(r->metadata[M_WINDOW]);
    info->preroll = whole(r->metadata[M_PREROLL]);
    if (info->window < MIN_WINDOW || info->window > MAX_WINDOW) return refuse(r, "window is not 16 to 256 samples", "", "");
    if (info->preroll < 0 || info->preroll >= info->window) return refuse(r, "preroll is not shorter than the window", "", "");
    if (whole(r->metadata[M_SAMPLE_RATE]) <= 0) return refuse(r, "sample_rate is not a whole number of Hz", "", "");
    struct {
        int m;
        char *to;
        size_t room;
    } const texts[] = {{M_NAME, info->name, sizeof info->name},
                       {M_AUTHOR, info->author, sizeof info->author},
                       {M_LICENSE, info->license, sizeof info->license},
                       {M_SOURCE, info->source, sizeof info->source},
                       {M_DETECTOR, info->detector, sizeof info->detector},
                       {M_ACTIVATION, info->activation, sizeof info->activation},
                       {M_NORM, info->norm, sizeof info->norm},
                       {M_OUTPUT, info->output, sizeof info->output},
                       {M_SAMPLE_RATE, info->sample_rate, sizeof info->sample_rate},
                       {M_CRC32, info->crc32, sizeof info->crc32}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        td_text text = td_text_in(texts[i].to, texts[i].room);
        td_text_add(&text, r->metadata[texts[i].m]);
    }
    return read_range(r, info) || read_strokes(r, info) || read_preset(r, info->params, &info->preset) ? TD_ERR_FORMAT : TD_OK;
}

/* ---- public ---- */

size_t td_model_bytes(size_t file_bytes)
{
    const size_t biases = (TD_MAX_HIDDEN * TD_MAX_WIDTH + TD_PARAMS) * sizeof(float);
    return sizeof(td_model) + biases + (file_bytes < TD_MAX_MODEL_BYTES ? file_bytes : TD_MAX_MODEL_BYTES);
}

td_status td_model_read(const void *file, size_t file_bytes, td_model *model, size_t model_bytes, char why[TD_ERROR_BYTES])
{
    reader r;
    memset(&r, 0, sizeof r);
    r.file = (const unsigned char *)file;
    r.why = td_text_in(why, TD_ERROR_BYTES);
    if (model_bytes < td_model_bytes(file_bytes)) {
        refuse(&r, "not enough memory was given", "", "");
        return TD_ERR_SPACE;
    }
    if (file_bytes > TD_MAX_MODEL_BYTES) return refuse(&r, "the file is larger than a model can be (1 MiB)", "", "");
    if (file_bytes < LENGTH_BYTES + 2) return refuse(&r, "the file is cut short or not a model", "", "");
    uint64_t header = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) header = header << 8 | r.file[i];
    if (header > MAX_HEADER || r.file[LENGTH_BYTES] != '{') return refuse(&r, "the file is not a safetensors model", "", "");
    if (header > file_bytes - LENGTH_BYTES) return refuse(&r, "the file is cut short", "", "");
    r.data = r.file + LENGTH_BYTES + (size_t)header;
    r.data_bytes = file_bytes - LENGTH_BYTES - (size_t)header;

    memset(model, 0, sizeof *model);
    if (check_crc(&r, file_bytes, (size_t)header) || read_header(&r, (const char *)r.file + LENGTH_BYTES, (size_t)header) ||
        read_choices(&r, &model->shape) || read_shape(&r, &model->shape) || read_info(&r, &model->shape, &model->info) ||
        read_weights(&r, &model->shape, model->weights))
        return TD_ERR_FORMAT;
    return TD_OK;
}

void td_model_describe(const td_model *model, td_model_info *info) { *info = model->info; }

void td_model_run(const td_model *model, const float x[TD_FEATURES], float out[TD_PARAMS])
{
    td_mlp_run(&model->shape, model->weights, x, out);
    for (int i = model->info.params; i < TD_PARAMS; i++) out[i] = 0.0f;
}
