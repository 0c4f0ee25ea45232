/* rask-hdf5: datasets, by libhdf5.
 *
 * Every call of the module enters by enter() and leaves by leave(): in between this thread has the library for itself,
 * and the library prints nothing. */
#include "collections/array/modules/hdf5.h"

#include "core/base/forks.h"

#include <hdf5.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LITTLE_MACHINE (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

enum { NAMES_SHOWN = 300 /* characters of a list of datasets in a message */ };

struct rk_hdf5_data {
    hid_t file, set, type, space;
    uint32_t ndim;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
RK_KNOW_FORKS(lock)

/* How the library would report errors to others. */
typedef struct reporting {
    H5E_auto2_t function;
    void *data;
} reporting;

static reporting enter(void)
{
    reporting before = {0};
    know_forks();
    pthread_mutex_lock(&lock);
    H5open();
    H5Eget_auto2(H5E_DEFAULT, &before.function, &before.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return before;
}

static void leave(reporting before)
{
    H5Eclear2(H5E_DEFAULT);
    H5Eset_auto2(H5E_DEFAULT, before.function, before.data);
    pthread_mutex_unlock(&lock);
}

/* -- Errors */

typedef struct reason {
    char *text;
    size_t capacity;
} reason;

static herr_t take_reason(unsigned number, const H5E_error2_t *error, void *data)
{
    reason *r = data;
    if (number == 0 && error->desc)
        snprintf(r->text, r->capacity, "%s", error->desc);
    return 0;
}

/* The library's innermost reason for what has just failed. */
static int fail(int status, const char *what, char *error, size_t capacity)
{
    char text[300] = "";
    reason r = {text, sizeof text};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, &r);
    snprintf(error, capacity, "%s%s%s", what, *text ? ": " : "", text);
    return status;
}

/* -- Types */

static bool is_one_of(hid_t type, hid_t little, hid_t big, bool *swapped)
{
    bool is_little = H5Tequal(type, little) > 0, is_big = H5Tequal(type, big) > 0;
    *swapped = is_little ? !LITTLE_MACHINE : LITTLE_MACHINE;
    return is_little || is_big;
}

static bool find_number(hid_t type, rask_dtype *dtype, bool *swapped)
{
    const struct {
        hid_t little, big;
        rask_dtype dtype;
    } types[] = {
        {H5T_STD_I8LE, H5T_STD_I8BE, RASK_DT_I8},      {H5T_STD_I16LE, H5T_STD_I16BE, RASK_DT_I16},
        {H5T_STD_I32LE, H5T_STD_I32BE, RASK_DT_I32},   {H5T_STD_I64LE, H5T_STD_I64BE, RASK_DT_I64},
        {H5T_STD_U8LE, H5T_STD_U8BE, RASK_DT_U8},      {H5T_STD_U16LE, H5T_STD_U16BE, RASK_DT_U16},
        {H5T_STD_U32LE, H5T_STD_U32BE, RASK_DT_U32},   {H5T_STD_U64LE, H5T_STD_U64BE, RASK_DT_U64},
        {H5T_IEEE_F32LE, H5T_IEEE_F32BE, RASK_DT_F32}, {H5T_IEEE_F64LE, H5T_IEEE_F64BE, RASK_DT_F64},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!is_one_of(type, types[i].little, types[i].big, swapped))
            continue;
        *dtype = types[i].dtype;
        *swapped = *swapped && H5Tget_size(type) > 1;
        return true;
    }
    return false;
}

/* h5py's bool: an enumeration of one byte, FALSE and TRUE. */
static bool is_bool(hid_t type)
{
    signed char value[2] = {-1, -1};
    return H5Tget_class(type) == H5T_ENUM && H5Tget_size(type) == 1 && H5Tget_nmembers(type) == 2 &&
           H5Tenum_valueof(type, "FALSE", &value[0]) >= 0 && H5Tenum_valueof(type, "TRUE", &value[1]) >= 0 &&
           value[0] == 0 && value[1] == 1;
}

/* h5py's complex numbers: two floats, r and i. */
static bool find_complex(hid_t type, rask_dtype *dtype, bool *swapped)
{
    if (H5Tget_class(type) != H5T_COMPOUND || H5Tget_nmembers(type) != 2 ||
        H5Tget_member_offset(type, 0) != 0)
        return false;
    char *r = H5Tget_member_name(type, 0), *i = H5Tget_member_name(type, 1);
    hid_t real = H5Tget_member_type(type, 0), imaginary = H5Tget_member_type(type, 1);
    rask_dtype part = RASK_DT_BOOL;
    bool good = r && i && strcmp(r, "r") == 0 && strcmp(i, "i") == 0 && H5Tequal(real, imaginary) > 0 &&
                find_number(real, &part, swapped) && (part == RASK_DT_F32 || part == RASK_DT_F64) &&
                H5Tget_member_offset(type, 1) == H5Tget_size(real) &&
                H5Tget_size(type) == 2 * H5Tget_size(real);
    *dtype = part == RASK_DT_F32 ? RASK_DT_C64 : RASK_DT_C128;
    H5Tclose(real);
    H5Tclose(imaginary);
    H5free_memory(r);
    H5free_memory(i);
    return good;
}

static bool find_dtype(hid_t type, rask_dtype *dtype, bool *swapped)
{
    *swapped = false;
    *dtype = RASK_DT_BOOL;
    return find_number(type, dtype, swapped) || is_bool(type) || find_complex(type, dtype, swapped);
}

static int fail_type(hid_t type, char *error, size_t capacity)
{
    static const char *const classes[] = {
        [H5T_INTEGER] = "integers", [H5T_FLOAT] = "floats",         [H5T_TIME] = "times",
        [H5T_STRING] = "strings",   [H5T_BITFIELD] = "bits",        [H5T_OPAQUE] = "opaque data",
        [H5T_COMPOUND] = "records", [H5T_REFERENCE] = "references", [H5T_ENUM] = "enumerated values",
        [H5T_VLEN] = "sequences",   [H5T_ARRAY] = "arrays"};
    int class = (int)H5Tget_class(type);
    bool known = class >= 0 && class < (int)(sizeof classes / sizeof *classes) && classes[class];
    snprintf(error, capacity, "its elements are %s of %zu bytes, which are not supported",
             known ? classes[class] : "values", H5Tget_size(type));
    return RASK_EUNSUPPORTED;
}

/* The type of new datasets; to be closed. */
static hid_t new_type(rask_dtype dtype)
{
    const hid_t numbers[] = {[RASK_DT_I8] = H5T_NATIVE_INT8,    [RASK_DT_I16] = H5T_NATIVE_INT16,
                             [RASK_DT_I32] = H5T_NATIVE_INT32,  [RASK_DT_I64] = H5T_NATIVE_INT64,
                             [RASK_DT_U8] = H5T_NATIVE_UINT8,   [RASK_DT_U16] = H5T_NATIVE_UINT16,
                             [RASK_DT_U32] = H5T_NATIVE_UINT32, [RASK_DT_U64] = H5T_NATIVE_UINT64,
                             [RASK_DT_F32] = H5T_NATIVE_FLOAT,  [RASK_DT_F64] = H5T_NATIVE_DOUBLE};
    hid_t type;
    if (dtype == RASK_DT_BOOL) {
        signed char no = 0, yes = 1;
        type = H5Tenum_create(H5T_NATIVE_INT8);
        H5Tenum_insert(type, "FALSE", &no);
        H5Tenum_insert(type, "TRUE", &yes);
        return type;
    }
    if (dtype < RASK_DT_C64)
        return H5Tcopy(numbers[dtype]);
    hid_t part = numbers[dtype == RASK_DT_C64 ? RASK_DT_F32 : RASK_DT_F64];
    type = H5Tcreate(H5T_COMPOUND, 2 * H5Tget_size(part));
    H5Tinsert(type, "r", 0, part);
    H5Tinsert(type, "i", H5Tget_size(part), part);
    return type;
}

/* -- Opening */

static int end(rk_hdf5_data *d, char *error, size_t capacity)
{
    int status = RASK_OK;
    if (d->type >= 0)
        H5Tclose(d->type);
    if (d->space >= 0)
        H5Sclose(d->space);
    if (d->set >= 0 && H5Dclose(d->set) < 0)
        status = fail(RASK_EIO, "closing", error, capacity);
    if (d->file >= 0 && H5Fclose(d->file) < 0 && !status)
        status = fail(RASK_EIO, "closing", error, capacity);
    free(d);
    return status;
}

static rk_hdf5_data *new_data(void)
{
    rk_hdf5_data *d = malloc(sizeof *d);
    if (d)
        *d = (rk_hdf5_data){.file = -1, .set = -1, .type = -1, .space = -1};
    return d;
}

/* Datasets met in the root group. */
typedef struct sets {
    size_t count;
    char first[256], names[NAMES_SHOWN];
} sets;

static herr_t meet(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    sets *s = data;
    size_t used = strlen(s->names);
    (void)info;
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object >= 0 && H5Iget_type(object) == H5I_DATASET && strlen(name) < sizeof s->first) {
        if (s->count++ == 0)
            snprintf(s->first, sizeof s->first, "%s", name);
        if (used + strlen(name) + 3 < sizeof s->names)
            snprintf(s->names + used, sizeof s->names - used, "%s%s", used ? ", " : "", name);
    }
    if (object >= 0)
        H5Oclose(object);
    return 0;
}

static int open_set(rk_hdf5_data *d, const char *member, char *error, size_t capacity)
{
    sets found = {0};
    if (!member) {
        H5Literate(d->file, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, meet, &found);
        member = found.first;
        if (found.count != 1) {
            snprintf(error, capacity,
                     found.count ? "holds %s: which one is to be named"
                                 : "its root group holds no dataset: which one is to be named",
                     found.names);
            return RASK_EINVAL;
        }
    }
    d->set = H5Dopen2(d->file, member, H5P_DEFAULT);
    if (d->set >= 0)
        return RASK_OK;
    char what[300];
    snprintf(what, sizeof what, "dataset %.200s", member);
    return fail(RASK_ENOENT, what, error, capacity);
}

static int read_shape(rk_hdf5_data *d, rk_hdf5_form *form, char *error, size_t capacity)
{
    hsize_t shape[H5S_MAX_RANK];
    d->space = H5Dget_space(d->set);
    int ndim = d->space < 0 ? -1 : H5Sget_simple_extent_ndims(d->space);
    if (ndim < 0 || H5Sget_simple_extent_type(d->space) == H5S_NULL)
        return fail(RASK_EFORMAT, "it has no shape", error, capacity);
    if (ndim > RASK_MAX_DIMENSIONS) {
        snprintf(error, capacity, "it has %d axes, more than %d", ndim, RASK_MAX_DIMENSIONS);
        return RASK_EUNSUPPORTED;
    }
    H5Sget_simple_extent_dims(d->space, shape, NULL);
    form->ndim = d->ndim = (uint32_t)ndim;
    for (int i = 0; i < ndim; i++) {
        form->shape[i] = (int64_t)shape[i];
        if (form->shape[i] < 0)
            return fail(RASK_EFORMAT, "it is too large", error, capacity);
    }
    return RASK_OK;
}

/* Filters that the library undoes for itself: shuffle, then deflate, or one of them. One that libhdf5 does not have
 * either is an error. */
static int read_filters(hid_t list, rk_hdf5_form *form, char *error, size_t capacity)
{
    int count = H5Pget_nfilters(list);
    for (int i = 0; i < count; i++) {
        unsigned flags, config, values[8];
        size_t room = 8;
        char name[64] = "";
        H5Z_filter_t filter =
            H5Pget_filter2(list, (unsigned)i, &flags, &room, values, sizeof name, name, &config);
        if (H5Zfilter_avail(filter) <= 0) {
            snprintf(error, capacity, "its chunks need the filter '%.63s' (number %d), which libhdf5 lacks",
                     name, (int)filter);
            return RASK_EUNSUPPORTED;
        }
        if (filter == H5Z_FILTER_SHUFFLE && i == 0)
            form->shuffled = true;
        else if (filter == H5Z_FILTER_DEFLATE && i == count - 1)
            form->deflated = true;
        else
            form->encoded = true;
    }
    return RASK_OK;
}

static int read_layout(rk_hdf5_data *d, rk_hdf5_form *form, char *error, size_t capacity)
{
    hid_t list = H5Dget_create_plist(d->set);
    hsize_t chunk[H5S_MAX_RANK];
    unsigned options = 0;
    H5D_layout_t layout = H5Pget_layout(list);
    int status = RASK_OK;
    form->offset = -1;
    if (layout == H5D_CHUNKED && H5Pget_chunk(list, H5S_MAX_RANK, chunk) == (int)form->ndim) {
        for (uint32_t i = 0; i < form->ndim; i++)
            form->chunk[i] = (int64_t)chunk[i];
        status = read_filters(list, form, error, capacity);
        if (H5Pget_chunk_opts(list, &options) < 0 || options)
            form->encoded = true; /* chunks at the ends are kept in another way */
    } else if (layout == H5D_CONTIGUOUS && H5Pget_external_count(list) == 0) {
        haddr_t offset = H5Dget_offset(d->set);
        form->offset = offset == HADDR_UNDEF ? -1 : (int64_t)offset;
    } else {
        form->encoded = true;
    }
    H5Pclose(list);
    return status;
}

static int open_data(rk_hdf5_data *d, const char *path, const char *member, rk_hdf5_form *form, char *error,
                     size_t capacity)
{
    d->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (d->file < 0)
        return fail(RASK_EFORMAT, "cannot be opened as HDF5", error, capacity);
    int status = open_set(d, member, error, capacity);
    if (!status && H5Iget_name(d->set, form->name, sizeof form->name) < 0)
        form->name[0] = '\0';
    if (!status)
        status = read_shape(d, form, error, capacity);
    if (status)
        return status;
    d->type = H5Dget_type(d->set);
    if (!find_dtype(d->type, &form->dtype, &form->swapped))
        return fail_type(d->type, error, capacity);
    return read_layout(d, form, error, capacity);
}

static int hdf5_open(const char *path, const char *member, rk_hdf5_data **data, rk_hdf5_form *form,
                     char *error, size_t capacity)
{
    char ignored[1];
    *form = (rk_hdf5_form){.offset = -1};
    rk_hdf5_data *d = new_data();
    if (!d) {
        snprintf(error, capacity, "out of memory");
        return RASK_ENOMEM;
    }
    reporting before = enter();
    int status = open_data(d, path, member, form, error, capacity);
    if (status)
        end(d, ignored, sizeof ignored);
    else
        *data = d;
    leave(before);
    return status;
}

/* -- Replacing */

/* A walk over all links of a file that ends at the first thing that is neither the member nor a group on its way. */
typedef struct walk {
    char *member; /* as links are named: no slash in front, at the end, or behind another */
    char *error;
    size_t capacity;
} walk;

static char *plain_member(const char *member)
{
    char *plain = malloc(strlen(member) + 1);
    size_t used = 0;
    for (; plain && *member; member++) {
        if (*member != '/' || (used && plain[used - 1] != '/'))
            plain[used++] = *member;
    }
    if (plain)
        plain[used && plain[used - 1] == '/' ? used - 1 : used] = 0;
    return plain;
}

/* name is the member, or leads to it. */
static bool is_on_the_way(const walk *w, const char *name, bool *whole)
{
    size_t len = strlen(name);
    *whole = strcmp(name, w->member) == 0;
    return *whole || (strncmp(name, w->member, len) == 0 && w->member[len] == '/');
}

static herr_t say_other(const walk *w, const char *what, const char *name)
{
    snprintf(w->error, w->capacity, "holds %s/%.200s, too", what, name);
    return 1;
}

static herr_t look_at_object(const walk *w, hid_t object, const char *name, H5I_type_t wanted)
{
    H5O_info_t info;
    if (object < 0 || H5Oget_info(object, &info) < 0 || H5Iget_type(object) != wanted)
        return say_other(w, "", name);
    return info.num_attrs ? say_other(w, "attributes of ", name) : 0;
}

static herr_t look_at_link(hid_t file, const char *name, const H5L_info_t *info, void *data)
{
    const walk *w = data;
    bool whole;
    if (!is_on_the_way(w, name, &whole) || info->type != H5L_TYPE_HARD)
        return say_other(w, "", name);
    hid_t object = H5Oopen(file, name, H5P_DEFAULT);
    herr_t found = look_at_object(w, object, name, whole ? H5I_DATASET : H5I_GROUP);
    if (object >= 0)
        H5Oclose(object);
    return found;
}

static int look_through(const char *path, walk *w)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return fail(RASK_EFORMAT, "cannot be opened as HDF5", w->error, w->capacity);
    hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);
    herr_t found = look_at_object(w, root, "", H5I_GROUP);
    if (!found)
        found = H5Lvisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, look_at_link, w);
    int status = found > 0 ? RASK_EEXIST : RASK_OK;
    if (found < 0)
        status = fail(RASK_EFORMAT, "cannot be looked through", w->error, w->capacity);
    if (root >= 0)
        H5Gclose(root);
    H5Fclose(file);
    return status;
}

static int hdf5_survey(const char *path, const char *member, char *error, size_t capacity)
{
    walk w = {plain_member(member), error, capacity};
    if (!w.member) {
        snprintf(error, capacity, "out of memory");
        return RASK_ENOMEM;
    }
    reporting before = enter();
    int status = look_through(path, &w);
    leave(before);
    free(w.member);
    return status;
}

/* -- Creating */

static hid_t new_properties(const rk_hdf5_form *form, int level)
{
    hsize_t chunk[RASK_MAX_DIMENSIONS];
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
    H5Pset_obj_track_times(list, false);
    for (uint32_t i = 0; i < form->ndim; i++)
        chunk[i] = (hsize_t)form->chunk[i];
    if (form->ndim && form->chunk[0]) {
        H5Pset_chunk(list, (int)form->ndim, chunk);
        if (level)
            H5Pset_deflate(list, (unsigned)level);
    } else {
        H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
    }
    return list;
}

static int create_set(rk_hdf5_data *d, const char *member, const rk_hdf5_form *form, int level, char *error,
                      size_t capacity)
{
    hsize_t shape[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < form->ndim; i++)
        shape[i] = (hsize_t)form->shape[i];
    d->ndim = form->ndim;
    d->type = new_type(form->dtype);
    d->space = form->ndim ? H5Screate_simple((int)form->ndim, shape, NULL) : H5Screate(H5S_SCALAR);
    hid_t list = new_properties(form, level), links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    d->set = H5Dcreate2(d->file, member, d->type, d->space, links, list, H5P_DEFAULT);
    H5Pclose(list);
    H5Pclose(links);
    char what[300];
    snprintf(what, sizeof what, "making dataset %.200s", member);
    return d->set < 0 ? fail(RASK_EINVAL, what, error, capacity) : RASK_OK;
}

static int create_file(rk_hdf5_data *d, const char *path, const char *member, rk_hdf5_form *form, int level,
                       char *error, size_t capacity)
{
    d->file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (d->file < 0)
        return fail(RASK_EIO, "making the file", error, capacity);
    int status = create_set(d, member, form, level, error, capacity);
    if (status)
        return status;
    haddr_t offset = H5Dget_offset(d->set);
    form->offset = offset == HADDR_UNDEF ? 0 : (int64_t)offset;
    return RASK_OK;
}

static int hdf5_create(const char *path, const char *member, rk_hdf5_form *form, int level,
                       rk_hdf5_data **data, char *error, size_t capacity)
{
    char ignored[1];
    rk_hdf5_data *d = new_data();
    if (!d) {
        snprintf(error, capacity, "out of memory");
        return RASK_ENOMEM;
    }
    reporting before = enter();
    int status = create_file(d, path, member, form, level, error, capacity);
    *data = NULL;
    if (!status && form->ndim && form->chunk[0])
        *data = d;
    else if (status)
        end(d, ignored, sizeof ignored);
    else
        status = end(d, error, capacity);
    leave(before);
    return status;
}

/* -- Reading and writing */

static void as_sizes(const rk_hdf5_data *d, const int64_t *from, hsize_t *to)
{
    for (uint32_t i = 0; i < d->ndim; i++)
        to[i] = (hsize_t)from[i];
}

static int hdf5_read(rk_hdf5_data *d, const int64_t *start, const int64_t *count, void *out, char *error,
                     size_t capacity)
{
    hsize_t first[RASK_MAX_DIMENSIONS], lengths[RASK_MAX_DIMENSIONS];
    int status = RASK_OK;
    as_sizes(d, start, first);
    as_sizes(d, count, lengths);
    reporting before = enter();
    hid_t memory = d->ndim ? H5Screate_simple((int)d->ndim, lengths, NULL) : H5Screate(H5S_SCALAR);
    if (d->ndim && H5Sselect_hyperslab(d->space, H5S_SELECT_SET, first, NULL, lengths, NULL) < 0)
        status = fail(RASK_EIO, "reading", error, capacity);
    if (!status && H5Dread(d->set, d->type, memory, d->space, H5P_DEFAULT, out) < 0)
        status = fail(RASK_EIO, "reading", error, capacity);
    H5Sclose(memory);
    leave(before);
    return status;
}

static uint64_t hdf5_chunk_size(rk_hdf5_data *d, const int64_t *start)
{
    hsize_t at[RASK_MAX_DIMENSIONS], size = 0;
    as_sizes(d, start, at);
    reporting before = enter();
    if (H5Dget_chunk_storage_size(d->set, at, &size) < 0)
        size = 0;
    leave(before);
    return size;
}

static int hdf5_read_chunk(rk_hdf5_data *d, const int64_t *start, void *out, bool *encoded, char *error,
                           size_t capacity)
{
    hsize_t at[RASK_MAX_DIMENSIONS];
    uint32_t skipped = 0;
    as_sizes(d, start, at);
    reporting before = enter();
    int status = RASK_OK;
    if (H5Dread_chunk(d->set, H5P_DEFAULT, at, &skipped, out) < 0)
        status = fail(RASK_EIO, "reading", error, capacity);
    *encoded = skipped != 0;
    leave(before);
    return status;
}

static int hdf5_write_chunk(rk_hdf5_data *d, const int64_t *start, const void *in, size_t len, char *error,
                            size_t capacity)
{
    hsize_t at[RASK_MAX_DIMENSIONS];
    as_sizes(d, start, at);
    reporting before = enter();
    int status = RASK_OK;
    if (H5Dwrite_chunk(d->set, H5P_DEFAULT, 0, at, len, in) < 0)
        status = fail(RASK_EIO, "writing", error, capacity);
    leave(before);
    return status;
}

static int hdf5_close(rk_hdf5_data *d, char *error, size_t capacity)
{
    if (!d)
        return RASK_OK;
    reporting before = enter();
    int status = end(d, error, capacity);
    leave(before);
    return status;
}

RASK_API extern const rk_hdf5_module rask_module;
const rk_hdf5_module rask_module = {
    .head = RK_MODULE_HEAD(rk_hdf5_module),
    .open = hdf5_open,
    .survey = hdf5_survey,
    .create = hdf5_create,
    .read = hdf5_read,
    .chunk_size = hdf5_chunk_size,
    .read_chunk = hdf5_read_chunk,
    .write_chunk = hdf5_write_chunk,
    .close = hdf5_close,
};
