/* Functions as module and offset, so that nothing need be registered to be known in another process.
 *
 * The loaded modules are walked (core/base/loaded); the build-id is the note of type NT_GNU_BUILD_ID in a
 * PT_NOTE segment (ELF; glibc's <elf.h>). */
#include "core/task/task.h"

#include <string.h>
#include <xxhash.h>

#ifdef __linux__
#    include "core/base/loaded.h"

#    include <elf.h>

typedef struct search {
    uintptr_t address;
    rk_identity *out;
    bool found;
} search;

static bool holds(const struct dl_phdr_info *module, uintptr_t address)
{
    for (int i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
        uintptr_t start = module->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && address >= start && address - start < segment->p_memsz)
            return true;
    }
    return false;
}

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* Copies the build-id out of a segment of notes, at most as many bytes as there is room for. */
static bool build_id(const char *notes, size_t size, uint8_t *module)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, notes, sizeof note);
        size_t whole = sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
        if (whole > size)
            return false;
        const char *name = notes + sizeof note;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(name, "GNU", 4)) {
            size_t len = note.n_descsz < sizeof((rk_identity *)0)->module ? note.n_descsz
                                                                          : sizeof((rk_identity *)0)->module;
            memcpy(module, name + padded(note.n_namesz), len);
            return true;
        }
        notes += whole;
        size -= whole;
    }
    return false;
}

static bool has_build_id(const struct dl_phdr_info *module, uint8_t *id)
{
    for (int i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
        if (segment->p_type == PT_NOTE &&
            build_id((const char *)(module->dlpi_addr + segment->p_vaddr), segment->p_memsz, id))
            return true;
    }
    return false;
}

static void name_module(const struct dl_phdr_info *module, uint8_t *id)
{
    if (has_build_id(module, id))
        return;
    XXH128_hash_t hash = XXH3_128bits(module->dlpi_name, strlen(module->dlpi_name));
    memcpy(id, &hash, sizeof hash);
}

static int visit(struct dl_phdr_info *module, size_t size, void *context)
{
    (void)size;
    search *wanted = context;
    if (!holds(module, wanted->address))
        return 0;
    wanted->found = true;
    wanted->out->offset = wanted->address - module->dlpi_addr;
    name_module(module, wanted->out->module);
    return 1;
}

static bool find_module(uintptr_t address, rk_identity *out)
{
    search wanted = {address, out, false};
    rk_loaded_walk(visit, &wanted);
    return wanted.found;
}

typedef struct place {
    const rk_identity *identity;
    size_t size;
    bool code;
    uintptr_t address; /* 0: not found */
} place;

static bool has_place(const struct dl_phdr_info *module, const place *p)
{
    for (int i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
        uint64_t offset = p->identity->offset;
        if (segment->p_type != PT_LOAD || (p->code && !(segment->p_flags & PF_X)) ||
            offset < segment->p_vaddr || offset - segment->p_vaddr > segment->p_memsz)
            continue;
        if (p->size <= segment->p_memsz - (offset - segment->p_vaddr))
            return true;
    }
    return false;
}

static int visit_for_place(struct dl_phdr_info *module, size_t size, void *context)
{
    (void)size;
    place *p = context;
    uint8_t id[sizeof p->identity->module] = {0};
    name_module(module, id);
    if (memcmp(id, p->identity->module, sizeof id) != 0 || !has_place(module, p))
        return 0;
    p->address = module->dlpi_addr + p->identity->offset;
    return 1;
}

static uintptr_t find_place(const rk_identity *identity, size_t size, bool code)
{
    place p = {identity, size, code, 0};
    rk_loaded_walk(visit_for_place, &p);
    return p.address;
}

/* The program comes first. */
static int visit_program(struct dl_phdr_info *module, size_t size, void *context)
{
    (void)size;
    rk_identity *out = context;
    out->offset = has_build_id(module, out->module);
    return 1;
}

static bool find_program(rk_identity *out)
{
    rk_loaded_walk(visit_program, out);
    bool found = out->offset;
    out->offset = 0;
    return found;
}
#else
#    include <dlfcn.h>

static bool find_module(uintptr_t address, rk_identity *out)
{
    Dl_info info;
    if (!dladdr((void *)address, &info))
        return false;
    XXH128_hash_t hash = XXH3_128bits(info.dli_fname, strlen(info.dli_fname));
    memcpy(out->module, &hash, sizeof hash);
    out->offset = address - (uintptr_t)info.dli_fbase;
    return true;
}

static uintptr_t find_place(const rk_identity *identity, size_t size, bool code)
{
    (void)identity, (void)size, (void)code;
    return 0;
}

static bool find_program(rk_identity *out)
{
    (void)out;
    return false;
}
#endif

int rk_identity_of(void (*function)(void), rk_identity *out)
{
    *out = (rk_identity){.offset = (uintptr_t)function};
    return find_module((uintptr_t)function, out) ? RASK_OK : RASK_ENOENT;
}

int rk_identity_find(const rk_identity *identity, size_t size, bool code, uintptr_t *address)
{
    uintptr_t found = find_place(identity, size, code);
    if (!found)
        return RASK_ENOENT;
    *address = found;
    return RASK_OK;
}

int rk_identity_of_program(rk_identity *out)
{
    rk_identity found = {.offset = 0};
    if (!find_program(&found))
        return RASK_ENOENT;
    *out = found;
    return RASK_OK;
}
