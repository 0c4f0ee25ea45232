/* Sorting and selecting for one width of keys: included by keys.c for each, with KEY the type and FN(name) its functions'
 * names. LSD radix sort in bytes, without the bytes in which all keys agree; short runs by insertion. Selecting narrows
 * a range by quicksort's partition; a range that does not shrink is sorted instead. */

static void FN(insert)(size_t n, KEY *keys, int64_t *indices)
{
    for (size_t i = 1; i < n; i++) {
        KEY key = keys[i];
        int64_t index = indices ? indices[i] : 0;
        size_t j = i;
        for (; j && key < keys[j - 1]; j--) {
            keys[j] = keys[j - 1];
            if (indices)
                indices[j] = indices[j - 1];
        }
        keys[j] = key;
        if (indices)
            indices[j] = index;
    }
}

/* counts[b][v]: keys whose byte b is v. */
static void FN(count_bytes)(size_t n, const KEY *keys, size_t counts[sizeof(KEY)][256])
{
    memset(counts, 0, sizeof(KEY) * sizeof *counts);
    for (size_t i = 0; i < n; i++) {
        KEY key = keys[i];
        for (size_t b = 0; b < sizeof(KEY); b++)
            counts[b][(key >> (8 * b)) & 255]++;
    }
}

/* One pass, from places that counts become. */
static void FN(scatter)(size_t n, const KEY *from, KEY *to, const int64_t *from_index, int64_t *to_index,
                        size_t byte, size_t counts[256])
{
    size_t place = 0;
    for (size_t v = 0; v < 256; v++) {
        size_t count = counts[v];
        counts[v] = place;
        place += count;
    }
    if (from_index)
        for (size_t i = 0; i < n; i++) {
            size_t at = counts[(from[i] >> (8 * byte)) & 255]++;
            to[at] = from[i];
            to_index[at] = from_index[i];
        }
    else
        for (size_t i = 0; i < n; i++)
            to[counts[(from[i] >> (8 * byte)) & 255]++] = from[i];
}

static void FN(sort)(size_t n, KEY *keys, KEY *scratch, int64_t *indices, int64_t *index_scratch)
{
    enum { SHORT = 40 };
    if (n <= SHORT) {
        FN(insert)(n, keys, indices);
        return;
    }
    size_t counts[sizeof(KEY)][256];
    KEY *from = keys, *to = scratch;
    int64_t *from_index = indices, *to_index = index_scratch;
    FN(count_bytes)(n, keys, counts);
    for (size_t b = 0; b < sizeof(KEY); b++) {
        if (counts[b][(keys[0] >> (8 * b)) & 255] == n)
            continue;
        FN(scatter)(n, from, to, from_index, to_index, b, counts[b]);
        KEY *keys_swap = from;
        int64_t *index_swap = from_index;
        from = to;
        to = keys_swap;
        from_index = to_index;
        to_index = index_swap;
    }
    if (from == keys)
        return;
    memcpy(keys, from, n * sizeof(KEY));
    if (indices)
        memcpy(indices, from_index, n * sizeof *indices);
}

static KEY FN(middle)(KEY a, KEY b, KEY c)
{
    if (a < b)
        return b < c ? b : a < c ? c : a;
    return a < c ? a : b < c ? c : b;
}

/* Keys low … high - 1 apart by pivot, one of them: returns the place where those from pivot on begin; it is in between. */
static size_t FN(part)(KEY *keys, size_t low, size_t high, KEY pivot)
{
    size_t i = low, j = high - 1;
    for (;;) {
        while (keys[i] < pivot)
            i++;
        while (pivot < keys[j])
            j--;
        if (i >= j)
            return j + 1;
        KEY swap = keys[i];
        keys[i++] = keys[j];
        keys[j--] = swap;
    }
}

static void FN(select)(size_t n, KEY *keys, size_t k, KEY *scratch)
{
    enum { SHORT = 40, PATIENCE = 48 };
    size_t low = 0, high = n;
    for (unsigned rounds = 0; high - low > SHORT && rounds < PATIENCE; rounds++) {
        KEY pivot = FN(middle)(keys[low], keys[low + (high - low) / 2], keys[high - 1]);
        size_t at = FN(part)(keys, low, high, pivot);
        if (at == low || at == high) /* all equal to the pivot, or nearly */
            break;
        if (k < at)
            high = at;
        else
            low = at;
    }
    FN(sort)(high - low, keys + low, scratch, NULL, NULL);
}

static size_t FN(unite)(size_t n, KEY *keys, const int64_t *weights, int64_t *counts)
{
    size_t made = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t weight = weights ? weights[i] : 1;
        bool same = made && keys[made - 1] == keys[i];
        if (!same)
            keys[made++] = keys[i];
        if (counts)
            counts[made - 1] = same ? counts[made - 1] + weight : weight;
    }
    return made;
}

static void FN(invert)(size_t n, KEY *keys)
{
    for (size_t i = 0; i < n; i++)
        keys[i] = ~keys[i];
}

static size_t FN(below)(size_t n, const KEY *keys, KEY key)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
