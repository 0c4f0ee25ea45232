/* collections/array/files/zarr_folder: the folder that a store is written in before it has its name. Whoever writes holds a lock of
 * it, which ends with the process: a folder without one is nobody's any more. */
#ifndef RASK_COLLECTIONS_ARRAY_FILES_ZARR_FOLDER_H
#define RASK_COLLECTIONS_ARRAY_FILES_ZARR_FOLDER_H

#include "collections/array/source.h"

typedef struct rk_zarr_folder {
    char *path; /* NULL: there is none */
    int lock;   /* -1: its file system has no locks */
} rk_zarr_folder;

/* Removes what writers to the store that were killed left beside it, and makes a folder there. False, with errno. */
bool rk_zarr_folder_make(rk_zarr_folder *folder, const char *store);
/* The folder stays, if it is there; {NULL, -1} is legal. */
void rk_zarr_folder_fini(rk_zarr_folder *folder);
/* A folder and what is in it. */
void rk_zarr_folder_remove(const char *path);

#endif
