"""Random expressions, the same in Rask and in NumPy. Arguments: the shared library, how many (1500), a seed (1).

What is exact in NumPy has to come out bit for bit; sums in another order and functions of the C library come within a
tolerance that the test states. Each is computed again with other workers, schedulers and budgets: the same bits."""

import os
import random
import sys
import warnings

os.environ["NPY_PROMOTION_STATE"] = "weak"
try:
    import numpy as np
except ImportError:
    print("1..0 # SKIP NumPy is not installed")
    sys.exit(0)
from rask_eval import DTYPES, Failure, Rask

np._set_promotion_state("weak") if hasattr(np, "_set_promotion_state") else None
FLOATS = ["f4", "f8"]
CONFIGURATIONS = [("threads", 2, "64M"), ("threads", 1, "24M"), ("serial", 1, "256M"), ("processes", 2, "64M"), ("threads", 4, "1G")]


class Made:
    """An expression: text, NumPy's value, whether each bit is given, and how far it may be off where not."""

    def __init__(self, text, value, exact=True):
        self.text, self.value, self.exact = text, value, exact


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.np_r = np.random.default_rng(seed)
        self.arrays = {}

    def array(self, shape, dtype):
        dtype, size = np.dtype(dtype), int(np.prod(shape))
        if dtype.kind == "b":
            values = self.np_r.integers(0, 2, size)
        elif dtype.kind in "iu":
            info = np.iinfo(dtype)
            wide = self.r.random() < 0.3
            low, high = (info.min, info.max) if wide else (0 if dtype.kind == "u" else -20, 20)
            values = self.np_r.integers(low, high, size, dtype=dtype, endpoint=True)
        else:
            values = self.np_r.normal(0, 3, size)
            if dtype.kind == "c":
                values = values + 1j * self.np_r.normal(0, 3, size)
        values = values.astype(dtype).reshape(shape)
        if dtype.kind in "f" and size and self.r.random() < 0.2:
            flat = values.reshape(-1)
            for special in (np.nan, np.inf, -np.inf, 0.0, -0.0):
                flat[self.r.randrange(size)] = special
        if self.r.random() < 0.2 and values.ndim > 1:
            values = np.asfortranarray(values)
        name = f"a{len(self.arrays)}"
        self.arrays[name] = values
        return Made(name, values)

    def shape(self):
        ndim = self.r.choice([1, 1, 2, 2, 2, 3, 3, 4])
        most = {1: 3000, 2: 90, 3: 20, 4: 9}[ndim]
        return tuple(self.r.choice([1, 2, 3, 7, most, self.r.randint(1, most)]) for _ in range(ndim))

    def leaf(self, shape, dtype):
        """An array that broadcasts to shape."""
        own = [1 if self.r.random() < 0.15 else n for n in shape]
        while own and own[0] == 1 and self.r.random() < 0.5:
            own.pop(0)
        return self.array(tuple(own), dtype)

    def number(self, kind):
        text = {"b": ["True", "False"], "i": ["0", "1", "2", "3", "7"], "u": ["0", "1", "2", "3"],
                "f": ["0.5", "2.0", "1.25", "3"], "c": ["1j", "2.5", "(1+2j)"]}[kind]
        text = self.r.choice(text)
        return Made(text, eval(text))

    # Operators and functions: text, kinds of arguments they take, whether every bit is given.
    BINARY = [("({} + {})", "biufc", True), ("({} - {})", "iufc", True), ("({} * {})", "biufc", True),
              ("({} / {})", "fiu", True), ("minimum({}, {})", "biuf", True), ("maximum({}, {})", "biuf", True),
              ("fmin({}, {})", "f", True), ("fmax({}, {})", "f", True), ("({} < {})", "biuf", True),
              ("({} <= {})", "biuf", True), ("({} == {})", "biufc", True), ("({} != {})", "biufc", True),
              ("({} > {})", "iuf", True), ("({} >= {})", "iuf", True), ("({} & {})", "biu", True),
              ("({} | {})", "biu", True), ("({} ^ {})", "biu", True), ("({} // {})", "iuf", True),
              ("({} % {})", "iuf", True), ("fmod({}, {})", "iuf", True), ("arctan2({}, {})", "f", False),
              ("hypot({}, {})", "f", False), ("copysign({}, {})", "f", True), ("logical_and({}, {})", "biuf", True),
              ("logical_or({}, {})", "biuf", True), ("logical_xor({}, {})", "biuf", True)]
    UNARY = [("(-{})", "iufc", True), ("abs({})", "biuf", True), ("sign({})", "iuf", True), ("square({})", "iuf", True),
             ("sqrt(abs({}))", "f", True), ("floor({})", "f", True), ("ceil({})", "f", True), ("trunc({})", "f", True),
             ("rint({})", "f", True), ("isnan({})", "biufc", True), ("isfinite({})", "biufc", True),
             ("isinf({})", "f", True), ("signbit({})", "f", True), ("exp({} * 0.25)", "f", False), ("sin({})", "f", False),
             ("cos({})", "f", False), ("tanh({})", "f", False), ("arctan({})", "f", False), ("log1p(abs({}))", "f", False),
             ("log(abs({}) + 1)", "f", False), ("expm1({} * 0.25)", "f", False), ("cbrt({})", "f", False),
             ("({}).real", "fc", True), ("({}).imag", "fc", True), ("conj({})", "fc", True), ("(~{})", "biu", True),
             ("logical_not({})", "biuf", True), ("reciprocal({} + 5.5)", "f", True), ("clip({}, -2, 2)", "if", True)]

    def pick(self, table, kind):
        return self.r.choice([row for row in table if kind in row[1]])

    def apply(self, form, *arguments, exact=True):
        text = form.format(*[a.text for a in arguments])
        values = [a.value for a in arguments]
        names = {f"v{i}": v for i, v in enumerate(values)}
        value = numpy_eval(form.format(*names), names)
        return Made(text, value, exact and all(a.exact for a in arguments))

    def element_wise(self, shape, depth):
        dtype = self.r.choice(DTYPES)
        if depth == 0:
            return self.leaf(shape, dtype)
        a = self.element_wise(shape, depth - 1)
        kind = np.asarray(a.value).dtype.kind
        roll = self.r.random()
        if roll < 0.35:
            return self.unary(a, kind)
        if roll < 0.45:
            return self.cast(a)
        if roll < 0.52:
            return self.apply("where({}, {}, {})", self.leaf(shape, "?"), a, self.leaf(shape, np.asarray(a.value).dtype))
        b = self.number(kind) if self.r.random() < 0.3 else self.second(shape, kind, depth)
        return self.binary(a, b)

    def second(self, shape, kind, depth):
        if self.r.random() < 0.5:
            return self.leaf(shape, self.r.choice([d for d in DTYPES if d.kind == kind]))
        return self.element_wise(shape, depth - 1)

    def unary(self, a, kind):
        form, _, exact = self.pick(self.UNARY, kind)
        return self.apply(form, a, exact=exact)

    def binary(self, a, b):
        x, y = np.asarray(a.value), np.asarray(b.value)
        kind = np.result_type(x.dtype, y.dtype).kind if x.dtype.kind != y.dtype.kind else x.dtype.kind
        both = [row for row in self.BINARY if x.dtype.kind in row[1] and y.dtype.kind in row[1] and kind in row[1]]
        form, _, exact = self.r.choice(both or [self.BINARY[10]])
        if kind == "c" and "*" in form:
            exact = False
        return self.apply(form, a, b, exact=exact)

    def cast(self, a):
        kind = np.asarray(a.value).dtype.kind
        to = {"b": ["f8", "i4", "u2"], "i": ["f8", "f4", "i2", "u1", "?"], "u": ["i8", "f4", "u1"],
              "f": ["f4", "f8", "c16", "?"], "c": ["c8", "c16"]}[kind]
        return self.apply("({}).astype('%s')" % self.r.choice(to), a)

    def slice(self, a):
        """Some indexing; never empty."""
        parts, shape = [], np.shape(a.value)
        for n in shape:
            roll = self.r.random()
            if roll < 0.3:
                parts.append(":")
            elif roll < 0.4:
                parts.append(str(self.r.randrange(-n, n)))
            elif roll < 0.5:
                parts.append("::-1")
            elif roll < 0.6:
                parts.append(f"::{self.r.randint(2, 5)}")
            else:
                start = self.r.randrange(n)
                parts.append(f"{start}:{self.r.randint(start + 1, n)}")
            if self.r.random() < 0.1:
                parts.append("None")
        while parts and self.r.random() < 0.3:
            parts.pop()
        return self.apply("({})[%s]" % (", ".join(parts) or "..."), a)

    def shape_change(self, a):
        shape = np.shape(a.value)
        ndim, roll = len(shape), self.r.randrange(8)
        axis = self.r.randrange(ndim) if ndim else 0
        if not ndim:
            return a
        if roll == 0:
            return self.apply("({}).T", a)
        if roll == 1:
            return self.apply("flip({}, %d)" % axis, a)
        if roll == 2:
            return self.apply("ravel({})", a)
        if roll == 3:
            return self.apply("expand_dims({}, %d)" % axis, a)
        if roll == 4:
            return self.apply("roll({}, %d, axis=%d)" % (self.r.randint(-5, 5), axis), a)
        if roll == 5:
            return self.apply("concatenate([{}, {}], axis=%d)" % axis, a, a)
        if roll == 6:
            return self.apply("cumsum({}, axis=%d)" % axis, a, exact=np.asarray(a.value).dtype.kind in "biu")
        return self.apply("swapaxes({}, 0, %d)" % axis, a)

    REDUCTIONS = [("sum", "biufc", "biu"), ("prod", "iu", "iu"), ("min", "biuf", "biuf"), ("max", "biuf", "biuf"),
                  ("mean", "iuf", ""), ("var", "f", ""), ("std", "f", ""), ("any", "biuf", "biuf"), ("all", "biuf", "biuf"),
                  ("argmin", "iuf", "iuf"), ("argmax", "iuf", "iuf"), ("count_nonzero", "biuf", "biuf"),
                  ("nansum", "f", ""), ("nanmax", "f", "f"), ("nanmin", "f", "f")]

    def reduce(self, a):
        value = np.asarray(a.value)
        name, _, exact = self.r.choice([row for row in self.REDUCTIONS if value.dtype.kind in row[1]])
        axis = "None"
        if value.ndim and self.r.random() < 0.7:
            axes = self.r.sample(range(value.ndim), 1 if "arg" in name else self.r.randint(1, value.ndim))
            axis = str(axes[0]) if len(axes) == 1 else str(tuple(axes))
        keep = ", keepdims=True" if self.r.random() < 0.3 else ""
        return self.apply("%s({}, axis=%s%s)" % (name, axis, keep), a, exact=value.dtype.kind in exact)

    def expression(self):
        self.arrays = {}
        made = self.element_wise(self.shape(), self.r.randint(0, 3))
        for _ in range(self.r.randint(0, 3)):
            if np.size(made.value) == 0:
                break
            made = self.r.choice([self.slice, self.shape_change, self.shape_change])(made)
        if np.size(made.value) and self.r.random() < 0.6:
            made = self.reduce(made)
            if self.r.random() < 0.3:
                made = self.unary(made, np.asarray(made.value).dtype.kind)
        return made


def numpy_eval(text, names):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        space = {name: getattr(np, name) for name in dir(np) if not name.startswith("_")}
        space.update(abs=np.abs, **names)
        return eval(text, {}, space)


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and (a.tobytes() == b.tobytes() or np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))


def close(a, b):
    """Within 1e-9 of the largest magnitude in double precision, 1e-3 in single."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    single = a.dtype in (np.float32, np.complex64)
    with np.errstate(all="ignore"):
        finite = np.abs(b[np.isfinite(b)])
        scale = float(finite.max()) if finite.size else 1.0
        return np.allclose(a, b, rtol=1e-3 if single else 1e-9, atol=(1e-3 if single else 1e-9) * max(scale, 1e-30), equal_nan=True)


def check(rask, made, arrays):
    """Why Rask's value is not NumPy's; None when it is."""
    want = np.asarray(made.value)
    rask.configure(*CONFIGURATIONS[0])
    got = rask.eval(made.text, arrays)
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"is {got.dtype} {got.shape}, not {want.dtype} {want.shape}"
    if not (same_bits(got, want) if made.exact else close(got, want)):
        return f"is {got.ravel()[:6]}, not {want.ravel()[:6]}" + ("" if made.exact else " (about)")
    for configuration in CONFIGURATIONS[1:]:
        rask.configure(*configuration)
        if rask.eval(made.text, arrays).tobytes() != got.tobytes():
            return f"has other bits with {configuration}"
    return None


# What the random ones do not come to. x, y: (7, 5) of float64, m: (5, 5), v: 11, i: (6, 4) of integers, k: 3 1 2 1 0, t: (2, 3, 4), f: float32.
WRITTEN = """diag(m, 1); diag(v, -2); diag(x, 9); diagonal(x.T, -1); m.diagonal(); cov(v); cov(x); cov(x, rowvar=False, ddof=0)
corrcoef(x); corrcoef(x, rowvar=False); append(x, y); append(x, y, axis=1); append(i[0], 2.5); dstack([x, y]); dstack([v, v])
nonzero(x > 0)[1]; where(t > 0)[2]; argwhere(t > 1); argwhere(x > 100); flatnonzero(i); bincount(k, minlength=9); bincount(k[:0])
digitize(x, [-1, 0, 1]); digitize(x, [1, 0, -1]); searchsorted(sort(v), x); searchsorted([1, 2, 2, 3], [2, 0, 5], 'right')
searchsorted(sort(where(v > 0, nan, 1.0)), nan); searchsorted([1., 2., nan], [nan, 1.5, 2.5]); searchsorted([1., nan], [nan, 0], 'right')
isin(k, [1, 2]); isin(x, y); linalg.det(m); linalg.det(m[::-1]); linalg.det(f[:, :3]); linalg.det(zeros((3, 3))); linalg.pinv(x)
linalg.cond(m); linalg.matrix_rank(m); linalg.matrix_rank(ones((4, 4))); linalg.matrix_rank(f); logaddexp(x, 0); sinc(x)
heaviside(x, 0.5); heaviside(f, 0.5); heaviside([-1, 0, 2], 0.5); logaddexp([1, 2], 3); sinc([0, 0.5]); cov([1, 2, 3, 5]); corrcoef([[1, 2, 4], [3, 1, 7]]); linalg.matrix_rank([[1, 2], [2, 4]])
 gradient(v, 0.5); gradient(x, 2, axis=1); gradient(i, axis=0); trapz(x, axis=0)
trapz(x, dx=0.1); logspace(0, 3, 7); geomspace(1, 1000, 4); geomspace(1e-200, 1e200, 5); geomspace(-3, -7, 3); geomspace(1j, 8j, 4); geomspace(1, 9, 2, endpoint=False); isreal(x * 1j); iscomplex(x * 1j); x.copy(); empty((2, 3)).shape
x[[0, -1, 6], [-5, 4, 0]]; x[k[:, None], k]; x[k[:, None], [1, 2]]; t[..., [0, 1], [1, 2]]; t[[0, 1], [1, 2], None]
t[[0, 1], 1, [1, 2]]; t[[0, 1], :, [[1], [2]]]; t[:, None, [0, 1], [1, 2]]; t[[0, 1], None, [1, 2]]; t[[], []]
x[arange(7), x.argmin(axis=1)]; x[nonzero(x > 0)[0], nonzero(x > 0)[1]]; x - x.mean(axis=0, keepdims=True); x[x[:, 0] > 0, 1]
(x - x.mean(0)) / x.std(0, ddof=1); i // 0; i % -3; x // 0.7; x % -1.5; i.astype('i1'); percentile(x, [25, 50, 75]); x.clip(min=0)"""


def written_arrays():
    r = np.random.default_rng(1)
    return {"x": r.normal(0, 3, (7, 5)), "y": r.normal(0, 3, (7, 5)), "m": r.normal(0, 1, (5, 5)) + 5 * np.eye(5), "v": r.normal(0, 1, 11),
            "i": r.integers(-20, 20, (6, 4)), "k": np.array([3, 1, 2, 1, 0]), "t": r.normal(0, 1, (2, 3, 4)), "f": r.normal(0, 1, (3, 4)).astype("f4")}


def check_written(rask):
    """Why those of the texts that are not NumPy's are not."""
    wrong, arrays = [], written_arrays()
    for text in [text.strip() for line in WRITTEN.splitlines() for text in line.split(";")]:
        try:
            reason = check(rask, Made(text, numpy_eval(text, arrays), exact=False), arrays)
        except Failure as failure:
            reason = "" if "rask-lapack" in str(failure) else str(failure)
        if reason:
            wrong.append(f"# {text} {reason}")
    return wrong


def main():
    rask = Rask(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1500
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    batch = 100
    batches = (count + batch - 1) // batch
    print(f"1..{batches + 1}")
    failed = 0
    for number, start in enumerate(range(first, first + count, batch)):
        wrong = []
        for seed in range(start, min(start + batch, first + count)):
            generator = Generator(seed)
            made = generator.expression()
            try:
                reason = check(rask, made, generator.arrays)
            except Failure as failure:
                reason = str(failure)
            if reason:
                shapes = {n: (a.dtype.str, a.shape) for n, a in generator.arrays.items()}
                wrong.append(f"# seed {seed}: {made.text} {reason} {shapes}")
        failed += len(wrong)
        print("\n".join(wrong + [f"{'not ok' if wrong else 'ok'} {number + 1} - random expressions {start} and on are NumPy's"]), flush=True)
    wrong = check_written(rask)
    print("\n".join(wrong + [f"{'not ok' if wrong else 'ok'} {batches + 1} - what users write is NumPy's"]))
    return 1 if failed or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
