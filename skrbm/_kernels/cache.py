"""The decorator of kernels, and the files that keep compiled kernels between processes.

Numba's own cache (``cache=True``) does three things that a library cannot use. It compares a
compiled file with the source of its kernel alone, not with what is inlined (numba #9483). It
numbers the files of a kernel in an index, so that two processes that compile for different
types at the same time take one number, and each later loads code for the types of the other.
And whatever goes wrong with a file becomes an error of the kernel that needed no file.

Here each signature of a kernel has a file of its own. Its name says what was compiled, by which
Numba and for which processor. It begins with a digest of the name, of the source and of the
compiled code, so that a file that is stale, cut off or damaged counts as absent. The folder and
the form of compiled code are Numba's.
"""

import hashlib
import pickle
import warnings
from functools import cached_property
from pathlib import Path
from uuid import uuid4

import numba
from numba import njit
from numba.core.caching import CompileResultCacheImpl, NullCache
from numba.core.serialize import dumps

from . import inlined

__all__ = ["KernelCache", "kernel"]


def kernel(of=None, **options):
    """``njit`` for a kernel: compiled code is kept by ``KernelCache``.

    Nothing but Python and other kernels calls a kernel, so the way in from C is not compiled.
    ``of`` is a function of another file whose compiled code becomes part of the kernel's.
    """

    def compiled(function):
        dispatcher = njit(no_cfunc_wrapper=True, **options)(function)
        dispatcher._cache = KernelCache(function, *([] if of is None else [of]))
        return dispatcher

    return compiled


class KernelCache(NullCache):
    """Keeps the compiled code of one kernel; asks for a folder when there is code to keep."""

    has_warned = False

    def __init__(self, function, *others):
        self._function = function
        # Read when the module is: later edits of the files are not in this process.
        files = [_source(vars(inlined)), *(_source(f.__globals__) for f in (function, *others))]
        self._source = hashlib.sha256(b"".join(files)).digest()

    @cached_property
    def _numba(self):
        """What Numba knows of compiled code and of its place."""
        try:
            return CompileResultCacheImpl(self._function)
        except RuntimeError as error:  # there is no folder that can be written
            raise OSError(str(error)) from error

    def load_overload(self, sig, target_context):
        """The code compiled for a signature; None if it must be compiled."""
        target_context.refresh()
        code = self._read(_key(sig, target_context.codegen()))
        return None if code is None else self._numba.rebuild(target_context, pickle.loads(code))

    def save_overload(self, sig, data):
        """Keep the code compiled for a signature, if that is possible."""
        key = _key(sig, data.codegen)
        try:
            if self._numba.check_cachable(data):
                self._numba.locator.ensure_cache_path()
                self._write(key, dumps(self._numba.reduce(data)))
        except OSError as error:
            # Windows refuses to replace a file that another process is reading: it is as good.
            if self._read(key) is None:
                _warn_once(error)

    def _path(self, key):
        name = f"{self._numba.filename_base}.{hashlib.sha256(key).hexdigest()[:16]}.nbc"
        return Path(self._numba.locator.get_cache_path(), name)

    def _digest(self, key, code):
        # A frozen program has no source; Numba's stamp is then that of the whole program.
        stamp = repr(self._numba.locator.get_source_stamp()).encode()
        return hashlib.sha256(b"".join((self._source, stamp, key, code))).digest()

    def _read(self, key):
        try:
            content = self._path(key).read_bytes()
            digest, code = content[:32], content[32:]
            return code if digest == self._digest(key, code) else None
        except OSError:
            return None

    def _write(self, key, code):
        path = self._path(key)
        part = path.with_name(f"{path.name}.{uuid4().hex}")
        try:
            part.write_bytes(self._digest(key, code) + code)
            part.replace(path)  # whole, or not at all
        finally:
            part.unlink(missing_ok=True)


def _key(sig, codegen):
    """What is compiled and how; not the source, whose next version replaces the file."""
    how = numba.__version__, bool(numba.config.BOUNDSCHECK), codegen.magic_tuple()
    return repr((how, sig)).encode()


def _source(module):
    """The file of a module, given its names; empty in a frozen program."""
    try:
        return module["__loader__"].get_data(module["__file__"])
    except OSError:
        return b""


def _warn_once(error):
    """One warning, not one for each of the kernels."""
    if not KernelCache.has_warned:
        KernelCache.has_warned = True
        warnings.warn(
            f"Compiled kernels cannot be kept ({error}); skrbm compiles them again in each "
            "process. Let the environment variable NUMBA_CACHE_DIR name a folder that can be "
            "written.",
            RuntimeWarning,
            stacklevel=2,
        )
