#include "collections/array/files/zarr_folder.h"

#include "collections/array/files/zarr.h"
#include "collections/files/temporary.h"
#include "core/base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTEMPTS = 100, REMOVE_FDS = 16, MODE_FOLDER = 0777 };

static int remove_one(const char *path, const struct stat *file, int type, struct FTW *walk)
{
    (void)file, (void)type, (void)walk;
    return remove(path);
}

void rk_zarr_folder_remove(const char *path)
{
    nftw(path, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS);
}

/* A descriptor that has the lock of a folder which is there; else -1, and errno: EWOULDBLOCK when somebody has it. */
static int lock_folder(const char *path)
{
    struct stat folder;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int failed = flock(fd, LOCK_EX | LOCK_NB) ? errno : 0;
    if (!failed && !fstat(fd, &folder) && folder.st_nlink)
        return fd;
    close(fd);
    errno = failed ? failed : EWOULDBLOCK; /* removed by who had it */
    return -1;
}

/* -- What killed writers left */

/* As rk_temporary_name() makes them for the store, but for the number. */
static bool is_leftover(const char *entry, const char *pattern)
{
    enum { DIGITS = 8 };
    static const char ending[] = ".part";
    size_t len = strlen(pattern), begin = len - DIGITS - strlen(ending);
    return strlen(entry) == len && !memcmp(entry, pattern, begin) &&
           strspn(entry + begin, "0123456789abcdef") == DIGITS && !strcmp(entry + begin + DIGITS, ending);
}

/* Nothing goes that does not look like a store, or somebody has. */
static void remove_leftover(const char *folder, const char *entry)
{
    rk_open_error error = {0};
    size_t room = strlen(folder) + strlen(entry) + 2;
    char *path = rk_alloc(room);
    if (!path)
        return;
    snprintf(path, room, "%s/%s", folder, entry);
    int lock = lock_folder(path);
    if (lock >= 0 && rk_zarr_may_replace(path, &error))
        rk_zarr_folder_remove(path);
    if (lock >= 0)
        close(lock);
    rk_free(path);
}

/* pattern: a name of such a folder. */
static void sweep(const char *folder, const char *pattern)
{
    DIR *open = opendir(folder);
    for (const struct dirent *entry; open && (entry = readdir(open));)
        if (is_leftover(entry->d_name, pattern))
            remove_leftover(folder, entry->d_name);
    if (open)
        closedir(open);
}

static void sweep_beside(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash) {
        sweep(".", path);
        return;
    }
    *slash = '\0';
    sweep(slash == path ? "/" : path, slash + 1);
    *slash = '/';
}

/* -- A folder of its own */

/* Who sweeps may have met it before its lock was taken: then it is gone, or about to be. */
static bool make_one(rk_zarr_folder *folder)
{
    if (mkdir(folder->path, MODE_FOLDER))
        return false;
    folder->lock = lock_folder(folder->path);
    if (folder->lock >= 0 || (errno != EWOULDBLOCK && errno != ENOENT))
        return true;
    errno = EEXIST;
    return false;
}

bool rk_zarr_folder_make(rk_zarr_folder *folder, const char *store)
{
    *folder = (rk_zarr_folder){.lock = -1};
    errno = EEXIST;
    for (int i = 0; i < ATTEMPTS && errno == EEXIST; i++) {
        rk_free(folder->path);
        folder->path = rk_temporary_name(store);
        errno = ENOMEM;
        if (folder->path && i == 0)
            sweep_beside(folder->path);
        if (folder->path && make_one(folder))
            return true;
    }
    int reason = errno;
    rk_zarr_folder_fini(folder);
    errno = reason;
    return false;
}

void rk_zarr_folder_fini(rk_zarr_folder *folder)
{
    if (folder->lock >= 0)
        close(folder->lock);
    rk_free(folder->path);
    *folder = (rk_zarr_folder){.lock = -1};
}
