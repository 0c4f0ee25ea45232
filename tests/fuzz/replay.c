/* Runs a fuzz target over files, and folders of files: a corpus as a test, without a fuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the corpus does not reach, of targets that know: how much, and they say what. */
#pragma weak fuzz_is_lacking
int fuzz_is_lacking(void);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    size_t size = 0, capacity = 0, more = 1;
    while (file && more) {
        char *grown = size == capacity ? realloc(data, capacity = 2 * capacity + 4096) : data;
        if (!grown)
            abort();
        data = grown;
        more = fread(data + size, 1, capacity - size, file);
        size += more;
    }
    if (!file) {
        fprintf(stderr, "%s cannot be read\n", path);
        return 1;
    }
    fclose(file);
    LLVMFuzzerTestOneInput((const uint8_t *)data, size);
    free(data);
    return 0;
}

static int replay(const char *path)
{
    int failures = 0, files = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return replay_file(path);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char name[4096];
        if (*entry->d_name == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        failures += replay_file(name);
        files++;
    }
    closedir(folder);
    printf("%s: %d files\n", path, files);
    return failures || !files;
}

int main(int argc, char **argv)
{
    int failures = argc < 2;
    for (int i = 1; i < argc; i++)
        failures += replay(argv[i]);
    if (fuzz_is_lacking)
        failures += fuzz_is_lacking();
    return failures != 0;
}
