/* Functions as module and offset, so that nothing need be registered to be known in another process.
 *
 * The loaded modules are walked with dl_iterate_phdr(); the build-id is the note of type NT_GNU_BUILD_ID in a
 * PT_NOTE segment (ELF; glibc's <elf.h>). */
#include "core/task/task.h"

#include <string.h>
#include <xxhash.h>

#ifdef __linux__
#    include <elf.h>
#    include <link.h>

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

static int visit(struct dl_phdr_info *module, size_t size, void *context)
{
    (void)size;
    search *wanted = context;
    if (!holds(module, wanted->address))
        return 0;
    wanted->found = true;
    wanted->out->offset = wanted->address - module->dlpi_addr;
    for (int i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
        if (segment->p_type == PT_NOTE && build_id((const char *)(module->dlpi_addr + segment->p_vaddr),
                                                   segment->p_memsz, wanted->out->module))
            return 1;
    }
    XXH128_hash_t hash = XXH3_128bits(module->dlpi_name, strlen(module->dlpi_name));
    memcpy(wanted->out->module, &hash, sizeof hash);
    return 1;
}

static bool find_module(uintptr_t address, rk_identity *out)
{
    search wanted = {address, out, false};
    dl_iterate_phdr(visit, &wanted);
    return wanted.found;
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
#endif

int rk_identity_of(void (*function)(void), rk_identity *out)
{
    *out = (rk_identity){.offset = (uintptr_t)function};
    return find_module((uintptr_t)function, out) ? RASK_OK : RASK_ENOENT;
}
