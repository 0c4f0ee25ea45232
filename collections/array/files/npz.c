/* One array of an .npz file: a ZIP archive (PKWARE APPNOTE 6.3.10) of .npy files, as numpy.savez writes it.
 *
 * The archive is found from its end: the end record, which a comment of up to 64 KiB may follow, says where the central
 * directory is, whose entries say where each member's local header is; the member's bytes are behind that. Numbers too
 * large for their fields stand in the records of ZIP64. Every place is checked to lie in the file before it is read.
 * A member that is stored as it is, is read in place. */
#include "collections/array/files/npy.h"
#include "collections/array/source.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    END_SIZE = 22, /* end record without its comment */
    END64_SIZE = 56,
    LOCATOR_SIZE = 20, /* says where the end record of ZIP64 is; right before the end record */
    ENTRY_SIZE = 46,   /* entry of the directory without name, extra field and comment */
    LOCAL_SIZE = 30,
    MAX_COMMENT = 0xffff,
    MAX_DIRECTORY = 64 << 20, /* bytes of a directory that is read */
    NAMES_SHOWN = 300,        /* characters of a list of members in a message */
    EXTRA_ZIP64 = 1,
    FLAG_ENCRYPTED = 1,
};

typedef struct archive {
    const char *path;
    int fd;
    int64_t size;
    rk_open_error *error;
    uint64_t at, len; /* of the directory */
    unsigned char *directory;
} archive;

/* A member, as its entry tells. */
typedef struct member {
    const unsigned char *name;
    size_t name_len;
    unsigned flags, method;
    uint64_t packed, size, at; /* at: of the local header */
} member;

static unsigned get16(const unsigned char *p)
{
    return p[0] | (unsigned)p[1] << 8;
}
static uint32_t get32(const unsigned char *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}
static uint64_t get64(const unsigned char *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool bad(archive *a, const char *what)
{
    rk_open_fail(a->error, RASK_EFORMAT, "%s: %s", a->path, what);
    return false;
}

static bool read_at(archive *a, void *to, size_t len, uint64_t place, const char *what)
{
    if (place > (uint64_t)a->size || len > (uint64_t)a->size - place)
        return bad(a, what);
    int64_t got = rk_file_read(a->fd, to, len, (int64_t)place);
    if (got < 0)
        rk_open_fail_errno(a->error, a->path);
    else if ((size_t)got < len)
        return bad(a, "ends too early");
    return got >= 0;
}

/* The end record of ZIP64, where a locator before the end record points to it. */
static bool read_end64(archive *a, uint64_t end)
{
    unsigned char locator[LOCATOR_SIZE], record[END64_SIZE];
    if (end < LOCATOR_SIZE || !read_at(a, locator, sizeof locator, end - LOCATOR_SIZE, "ends too early"))
        return end < LOCATOR_SIZE;
    if (memcmp(locator, "PK\x06\x07", 4) != 0)
        return true;
    if (!read_at(a, record, sizeof record, get64(locator + 8), "the end record lies outside of the file"))
        return false;
    if (memcmp(record, "PK\x06\x06", 4) != 0)
        return bad(a, "the end record is not where it should be");
    a->len = get64(record + 40);
    a->at = get64(record + 48);
    return true;
}

/* Looks for the end record, from the end on. */
static bool find_end(archive *a, unsigned char *tail, size_t len)
{
    if (len < END_SIZE || !read_at(a, tail, len, (uint64_t)a->size - len, "ends too early"))
        return len >= END_SIZE ? false : bad(a, "is no .npz file");
    for (size_t i = len - END_SIZE + 1; i-- > 0;) {
        if (memcmp(tail + i, "PK\x05\x06", 4) != 0 || get16(tail + i + 20) != len - END_SIZE - i)
            continue;
        a->len = get32(tail + i + 12);
        a->at = get32(tail + i + 16);
        return read_end64(a, (uint64_t)a->size - len + i);
    }
    return bad(a, "is no .npz file: it has no end record");
}

static bool read_directory(archive *a)
{
    size_t len = a->size < END_SIZE + MAX_COMMENT ? (size_t)a->size : END_SIZE + MAX_COMMENT;
    unsigned char *tail = rk_alloc(len + 1);
    bool found = tail && find_end(a, tail, len);
    rk_free(tail);
    if (!found)
        return tail ? false : bad(a, rask_status_text(RASK_ENOMEM));
    if (a->len > MAX_DIRECTORY)
        return bad(a, "its directory is too large");
    if (!(a->directory = rk_alloc((size_t)a->len + 1)))
        return bad(a, rask_status_text(RASK_ENOMEM));
    return read_at(a, a->directory, (size_t)a->len, a->at, "its directory lies outside of the file");
}

/* Takes what the fields of an entry have no room for from its extra field: in this order those that are all ones. */
static bool read_extra(member *m, const unsigned char *extra, size_t len)
{
    uint64_t *const fields[] = {&m->size, &m->packed, &m->at};
    bool wanted = m->size == UINT32_MAX || m->packed == UINT32_MAX || m->at == UINT32_MAX;
    while (wanted && len >= 4) {
        size_t id = get16(extra), room = get16(extra + 2), used = 0;
        if (room > len - 4)
            return false;
        for (size_t i = 0; id == EXTRA_ZIP64 && i < 3; i++) {
            if (*fields[i] != UINT32_MAX)
                continue;
            if (room - used < 8)
                return false;
            *fields[i] = get64(extra + 4 + used);
            used += 8;
        }
        wanted = id != EXTRA_ZIP64;
        extra += 4 + room;
        len -= 4 + room;
    }
    return true;
}

/* The entry at *at, which moves on to the next. */
static bool read_entry(archive *a, size_t *at, member *m)
{
    const unsigned char *e = a->directory + *at;
    size_t left = (size_t)a->len - *at;
    if (left < ENTRY_SIZE || memcmp(e, "PK\x01\x02", 4) != 0)
        return bad(a, "its directory is damaged");
    size_t name = get16(e + 28), extra = get16(e + 30), comment = get16(e + 32);
    if (left - ENTRY_SIZE < name + extra + comment)
        return bad(a, "its directory is damaged");
    *m = (member){.name = e + ENTRY_SIZE,
                  .name_len = name,
                  .flags = get16(e + 8),
                  .method = get16(e + 10),
                  .packed = get32(e + 20),
                  .size = get32(e + 24),
                  .at = get32(e + 42)};
    if (!read_extra(m, e + ENTRY_SIZE + name, extra))
        return bad(a, "its directory is damaged");
    *at += ENTRY_SIZE + name + extra + comment;
    return true;
}

/* Whether wanted is this member's name, with or without ".npy". */
static bool has_name(const member *m, const char *wanted)
{
    size_t len = strlen(wanted);
    if (m->name_len < len || memcmp(m->name, wanted, len) != 0)
        return false;
    return m->name_len == len || (m->name_len == len + 4 && memcmp(m->name + len, ".npy", 4) == 0);
}

/* Adds a member's name to the list in a message: printable, and as much as there is room for. */
static void add_name(char names[NAMES_SHOWN], const member *m)
{
    size_t used = strlen(names), len = m->name_len;
    if (len > 4 && memcmp(m->name + len - 4, ".npy", 4) == 0)
        len -= 4;
    if (used + len + 6 >= NAMES_SHOWN) {
        if (used < 3 || strcmp(names + used - 3, "...") != 0)
            snprintf(names + used, NAMES_SHOWN - used, "%s", used ? ", ..." : "...");
        return;
    }
    used += (size_t)snprintf(names + used, NAMES_SHOWN - used, "%s", used ? ", " : "");
    for (size_t i = 0; i < len; i++)
        names[used + i] = m->name[i] >= ' ' && m->name[i] < 127 ? (char)m->name[i] : '?';
    names[used + len] = '\0';
}

/* The last member of this name, as later ones replace earlier ones; without a name, the only one. */
static bool find_member(archive *a, const char *wanted, member *found)
{
    char names[NAMES_SHOWN] = "";
    size_t count = 0, hits = 0;
    for (size_t at = 0; at < a->len; count++) {
        member m;
        if (!read_entry(a, &at, &m))
            return false;
        add_name(names, &m);
        if (!wanted || has_name(&m, wanted)) {
            *found = m;
            hits++;
        }
    }
    if (wanted ? hits > 0 : hits == 1)
        return true;
    if (!count)
        rk_open_fail(a->error, RASK_ENOENT, "%s: holds no array", a->path);
    else if (wanted)
        rk_open_fail(a->error, RASK_ENOENT, "%s: holds no %s, but %s", a->path, wanted, names);
    else
        rk_open_fail(a->error, RASK_EINVAL, "%s: holds %s: which one is to be named", a->path, names);
    return false;
}

/* Where the member's own bytes begin. */
static bool locate(archive *a, const member *m, uint64_t *begin)
{
    unsigned char local[LOCAL_SIZE];
    if (m->flags & FLAG_ENCRYPTED || m->method) {
        rk_open_fail(a->error, RASK_EUNSUPPORTED,
                     "%s: %.*s is %s: only members that are stored as they are can be read", a->path,
                     m->name_len < 200 ? (int)m->name_len : 200, (const char *)m->name,
                     m->method ? "compressed" : "encrypted");
        return false;
    }
    if (!read_at(a, local, sizeof local, m->at, "a member lies outside of the file"))
        return false;
    if (memcmp(local, "PK\x03\x04", 4) != 0)
        return bad(a, "a member is not where it should be");
    *begin = m->at + LOCAL_SIZE + get16(local + 26) + get16(local + 28);
    if (m->packed != m->size || *begin > (uint64_t)a->size || m->size > (uint64_t)a->size - *begin)
        return bad(a, "a member lies outside of the file");
    return true;
}

/* Takes over a->fd. */
static rk_source *open_member(archive *a, const member *m)
{
    uint64_t begin;
    char name[600];
    int fd = a->fd;
    if (!locate(a, m, &begin))
        return NULL;
    a->fd = -1;
    snprintf(name, sizeof name, "%.350s:%.*s", a->path, m->name_len < 200 ? (int)m->name_len : 200,
             (const char *)m->name);
    return rk_npy_source(name, fd, (int64_t)begin, (int64_t)m->size, a->error);
}

rk_source *rk_npz_open(const char *path, const char *member_name, rk_open_error *error)
{
    archive a = {.path = path, .error = error};
    member found = {0};
    rk_source *source = NULL;
    a.fd = rk_file_open(path, &a.size, error);
    if (a.fd < 0)
        return NULL;
    if (read_directory(&a) && find_member(&a, member_name, &found))
        source = open_member(&a, &found);
    rk_free(a.directory);
    if (a.fd >= 0)
        close(a.fd);
    return source;
}
