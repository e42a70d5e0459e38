"""Kernels whose work a crew shares: several threads take parts of one call, without the GIL.

A job is a call of one kernel, cut into parts that depend only on the sizes of its arguments.
The thread that has the job is the lead. It writes the arguments where all of the crew see them.
Then the lead takes parts from the first on, and its helpers from the last on, so that a thread
finds in its cache what it wrote before. A helper that sleeps, or that the system has stopped,
holds up nobody, unless it is in the middle of a part. Whoever finds nothing to do looks for some
microseconds whether that changes, then sleeps. (What else was tried: how_fast.rst.)

All that the crew share is one array of int64, the board; its cells are the numbers below. Those
that threads write while others read are atomic, and lie in cache lines of their own.
"""

import ctypes
import platform
from functools import lru_cache

import numpy as np
from llvmlite import ir
from numba import int64, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from .cache import kernel
from .inlined import OPTIONS

__all__ = [
    "FAILED",
    "TAKEN",
    "WELL",
    "Divisible",
    "call_off",
    "compile_leads",
    "divisible",
    "help_out",
    "new_board",
    "of_equal_work",
    "per_number",
]

# The job's number, and the first and the last part not taken yet, plus 1, in one word. Whoever
# takes a part of an old job finds another word, whatever the lead is writing meanwhile.
_TICKET, _JOB, _FIRST, _STOP = 0, 32, 16, 0xFFFF
_DONE = 16  # number of parts that are done
_QUIT = 32  # not 0: helpers go home
_FAILED = 48  # not 0: a part has raised an error
_TAKEN = 49  # not 0: a thread is the lead
# What the ticket makes public; there is room for the bounds of 69 parts.
_N_PARTS, _TASK, _BOUNDS, _ARGUMENTS, _ROOM = 64, 65, 66, 136, 192
# What never changes: the functions of locks.
_ACQUIRE, _RELEASE, _N_HELPERS = 336, 337, 338
# Of each thread, the lead first: whether it sleeps, and the lock that it sleeps on.
_THREADS, _LOCK, _SIZE = 352, 1, 16

#: How a job ended: a part raised an error. Or it did not begin: the crew works for another thread.
WELL, FAILED, TAKEN = 0, 1, 2

_X86 = platform.machine().lower() in ("x86_64", "amd64")


def new_board(n_helpers):
    """A board for a lead and helpers, all of whom are awake.

    Python's own locks serve, because they need no GIL.
    """
    python = ctypes.pythonapi
    python.PyThread_allocate_lock.restype = ctypes.c_void_p
    board = np.zeros(_THREADS + _SIZE * (n_helpers + 1), np.int64)
    for cell, function in (
        (_ACQUIRE, python.PyThread_acquire_lock),
        (_RELEASE, python.PyThread_release_lock),
    ):
        board[cell] = ctypes.cast(function, ctypes.c_void_p).value
    board[_N_HELPERS] = n_helpers
    for k in range(n_helpers + 1):
        board[_THREADS + _SIZE * k + _LOCK] = python.PyThread_allocate_lock()
    for k in range(n_helpers + 1):  # whoever acquires a lock from now on sleeps
        python.PyThread_acquire_lock(ctypes.c_void_p(int(board[_THREADS + _SIZE * k + _LOCK])), 0)
    return board


# --- Words that threads share -----------------------------------------------------------------


def _cell(context, builder, kind, board, cell):
    """The address of a cell of a board of this type; the cell is a number, compiled or not."""
    data = context.make_array(kind)(context, builder, board).data
    if isinstance(cell, int):
        cell = context.get_constant(types.intp, cell)
    return builder.gep(data, [cell])


@intrinsic
def _read(typingctx, board, cell):
    def codegen(context, builder, signature, values):
        pointer = _cell(context, builder, signature.args[0], *values)
        return builder.load_atomic(pointer, "seq_cst", 8)

    return int64(board, int64), codegen


@intrinsic
def _write(typingctx, board, cell, value):
    def codegen(context, builder, signature, values):
        pointer = _cell(context, builder, signature.args[0], *values[:2])
        builder.store_atomic(values[2], pointer, "seq_cst", 8)
        return context.get_dummy_value()

    return types.none(board, int64, int64), codegen


@intrinsic
def _add(typingctx, board, cell, value):
    def codegen(context, builder, signature, values):
        pointer = _cell(context, builder, signature.args[0], *values[:2])
        return builder.atomic_rmw("add", pointer, values[2], "seq_cst")

    return int64(board, int64, int64), codegen


@intrinsic
def _replace(typingctx, board, cell, expected, value):
    """Whether the cell held what was expected; it then holds the value."""

    def codegen(context, builder, signature, values):
        pointer = _cell(context, builder, signature.args[0], *values[:2])
        pair = builder.cmpxchg(pointer, values[2], values[3], "seq_cst", "seq_cst")
        return builder.extract_value(pair, 1)

    return types.boolean(board, int64, int64, int64), codegen


@intrinsic
def _pause(typingctx):
    """Tell the processor that the thread only waits, where the processor can be told."""

    def codegen(context, builder, signature, values):
        if _X86:
            nothing = ir.FunctionType(ir.VoidType(), [])
            name = "llvm.x86.sse2.pause"
            builder.call(cgutils.get_or_insert_function(builder.module, nothing, name), [])
        return context.get_dummy_value()

    return types.none(), codegen


@intrinsic
def _call(typingctx, function, lock, flag):
    """Call a function of Python's locks by its address."""

    def codegen(context, builder, signature, values):
        pointer, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, integer]).as_pointer()
        arguments = [builder.inttoptr(values[1], pointer), builder.trunc(values[2], integer)]
        builder.call(builder.inttoptr(values[0], kind), arguments)
        return context.get_dummy_value()

    return types.none(int64, int64, int64), codegen


# --- The arguments of a job -------------------------------------------------------------------

_task_type = ir.FunctionType(
    ir.IntType(32), [ir.IntType(8).as_pointer(), ir.IntType(64), ir.IntType(64)]
)


def _uncounted(context, builder, kind, value):
    """A value of this type whose arrays have no counts of references."""
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        items = zip(kind, cgutils.unpack_tuple(builder, value), strict=True)
        items = [_uncounted(context, builder, *item) for item in items]
        return context.make_tuple(builder, kind, items)
    return value


@intrinsic
def _publish(typingctx, function, board, arguments):
    """Write the arguments to the board, and the address of a function that reads them.

    The arguments lie there as the compiler keeps them: arrays as addresses and sizes. The lead
    keeps the arrays alive. Their counts of references are left out: each slice would raise and
    lower a number that the threads took from each other's cache.

    The function is made here, for the types of the arguments. It has the same type for all
    kernels: ``task(arguments, first, stop)`` returns 0, or else the kernel raised an error.
    """
    parameters = (*arguments.types, int64, int64)
    kernel_signature = typingctx.resolve_function_type(function, parameters, {})

    def codegen(context, builder, signature, values):
        compiled = function.dispatcher.overloads[kernel_signature.args]
        context.active_code_library.add_linking_library(compiled.library)
        native = context.declare_function(builder.module, compiled.fndesc)
        packed = context.get_value_type(arguments)
        if context.get_abi_sizeof(packed) > 8 * _ROOM:
            raise ValueError(f"no room on the board for the arguments of {function.dispatcher}")

        task = ir.Function(builder.module, _task_type, name=f"{native.name}.task")
        task.linkage = "internal"
        inner = ir.IRBuilder(task.append_basic_block())
        pointer = inner.bitcast(task.args[0], packed.as_pointer())
        inputs = cgutils.unpack_tuple(inner, inner.load(pointer))
        inputs = [
            _uncounted(context, inner, *each) for each in zip(arguments, inputs, strict=True)
        ]
        inputs += task.args[1:]
        status, _ = context.call_conv.call_function(
            inner, native, types.none, kernel_signature.args, inputs
        )
        inner.ret(status.code)

        for cell, value in ((_ARGUMENTS, values[2]), (_TASK, task)):
            address = _cell(context, builder, signature.args[1], values[1], cell)
            builder.store(value, builder.bitcast(address, value.type.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.none(function, board, arguments), codegen


@intrinsic
def _perform(typingctx, board, first, stop):
    """Do the items from first to stop of the job on the board; 0 unless there was an error."""

    def codegen(context, builder, signature, values):
        task, arguments = (
            builder.bitcast(_cell(context, builder, signature.args[0], values[0], cell), kind)
            for cell, kind in (
                (_TASK, _task_type.as_pointer().as_pointer()),
                (_ARGUMENTS, ir.IntType(8).as_pointer()),
            )
        )
        return builder.call(builder.load(task), [arguments, values[1], values[2]])

    return types.int32(board, int64, int64), codegen


# --- Sleep ------------------------------------------------------------------------------------


@njit(inline="always")
def _sleep(board, thread):
    """Sleep until ``_wake``, of a thread that has said that it sleeps."""
    _call(board[_ACQUIRE], board[_THREADS + _SIZE * thread + _LOCK], 1)


@njit(inline="always")
def _wake(board, thread):
    """Wake a thread, if it sleeps or is about to."""
    cell = _THREADS + _SIZE * thread
    if _read(board, cell) != 0 and _replace(board, cell, 1, 0):
        _call(board[_RELEASE], board[cell + _LOCK], 0)


# --- The work ---------------------------------------------------------------------------------


@njit(inline="always")
def _take_parts(board, lead):
    """Do parts of the job on the board as long as there are any; whether there was one."""
    found = False
    while True:
        ticket = _read(board, _TICKET)
        first, stop = (ticket >> _FIRST) & _STOP, ticket & _STOP
        if first >= stop:
            return found
        part = first if lead else stop - 1
        if _replace(board, _TICKET, ticket, ticket + (1 << _FIRST) if lead else ticket - 1):
            found = True
            if _perform(board, board[_BOUNDS + part], board[_BOUNDS + part + 1]) != 0:
                _write(board, _FAILED, 1)
            if _add(board, _DONE, 1) == board[_N_PARTS] - 1 and not lead:
                _wake(board, 0)


@kernel(**OPTIONS)
def help_out(board, helper, patience):
    """The life of a helper: parts of jobs, and sleep, until ``call_off``.

    Parameters
    ----------
    board : ndarray, int64                                                             INOUT
    helper : int                                                                          IN
        Its number, from 1 on.
    patience : int                                                                        IN
        How often to look for the next job before sleep, a pause of the processor apart. The next
        job is not far while others still do parts of the last one: such looks count a sixteenth.
    """
    idle, asleep = 0, _THREADS + _SIZE * helper
    while _read(board, _QUIT) == 0:
        if _take_parts(board, False):
            idle = 0
        elif idle < 16 * patience:
            idle += 16 if _read(board, _DONE) == board[_N_PARTS] else 1
            _pause()
        else:
            idle = 0
            _write(board, asleep, 1)
            ticket = _read(board, _TICKET)
            nothing = (ticket >> _FIRST) & _STOP >= ticket & _STOP and _read(board, _QUIT) == 0
            # Whoever has taken the word back also opens the lock.
            if nothing or not _replace(board, asleep, 1, 0):
                _sleep(board, helper)


@kernel(**OPTIONS)
def call_off(board):
    """Send the helpers home.

    Parameters
    ----------
    board : ndarray, int64                                                             INOUT
    """
    _write(board, _QUIT, 1)
    for helper in range(1, board[_N_HELPERS] + 1):
        _wake(board, helper)


@kernel(**OPTIONS)
def _lead(board, bounds, patience):
    """Do the parts of the published job that helpers do not, and wait for those."""
    n_parts = bounds.shape[0] - 1
    for k in range(n_parts + 1):
        board[_BOUNDS + k] = bounds[k]
    board[_N_PARTS], board[_DONE] = n_parts, 0
    job = (_read(board, _TICKET) >> _JOB) + 1
    _write(board, _TICKET, (job << _JOB) | n_parts)
    for helper in range(1, min(n_parts, board[_N_HELPERS] + 1)):
        _wake(board, helper)
    _take_parts(board, True)
    for _ in range(patience):
        if _read(board, _DONE) == n_parts:
            break
        _pause()
    # Not once: a helper that was stopped when it had done the last part of an earlier job wakes
    # the lead of this one.
    while _read(board, _DONE) != n_parts:
        _write(board, _THREADS, 1)
        if _read(board, _DONE) != n_parts or not _replace(board, _THREADS, 1, 0):
            _sleep(board, 0)
    result = WELL if _read(board, _FAILED) == 0 else FAILED
    _write(board, _FAILED, 0)
    _write(board, _TAKEN, 0)
    return result


class Divisible:
    """A kernel whose work a crew can share. A call does all the work in this thread.

    Parameters
    ----------
    part : callable
        ``part(*arguments, first, stop)`` does some of the items.
    lead : callable
        ``lead(board, bounds, patience, *arguments)`` does the job with the helpers, and returns
        ``WELL``, ``FAILED`` or ``TAKEN``. Part k has the items ``bounds[k] .. bounds[k + 1] - 1``.
    items : callable
        ``items(*arguments)`` is the number of items.
    work : callable
        ``work(*arguments)``: multiplications, or what takes as long, of all items.
    bounds : callable or None
        ``bounds(n_parts, *arguments)``: where parts of equal work begin, and the number of items.
        None: the items have equal work.
    """

    def __init__(self, part, lead, items, work, bounds=None):
        self.part, self.lead, self.items, self.work = part, lead, items, work
        self._bounds = bounds

    def __call__(self, *arguments):
        self.part(*arguments, 0, self.items(*arguments))

    def bounds(self, n_parts, *arguments):
        """The ``bounds`` of so many parts."""
        if self._bounds is not None:
            return self._bounds(n_parts, *arguments)
        return _even_bounds(n_parts, self.items(*arguments))


@lru_cache(maxsize=256)
def _even_bounds(n_parts, n_items):
    return np.arange(n_parts + 1, dtype=np.int64) * n_items // n_parts


def of_equal_work(n_parts, cumulative):
    """Bounds of parts, given the work before each item and, last, that of all."""
    work = int(cumulative[-1] - cumulative[0])
    bounds = np.searchsorted(cumulative, cumulative[0] + _even_bounds(n_parts, work))
    bounds[-1] = len(cumulative) - 1  # the last items may have no work
    return bounds


_divisible = []  # all that there are


def per_number(multiplications):
    """The work of a kernel that takes so long for each number of its last argument."""
    return lambda *arguments: multiplications * arguments[-1].size


def _rows_of_last(*arguments):
    return arguments[-1].shape[0]


def divisible(work, items=_rows_of_last, bounds=None, **options):
    """``kernel`` for a function that ends with ``first, stop``: it does these items alone.

    Items are the rows of the last argument, unless ``items`` counts something else, and have equal
    work, unless ``bounds`` says otherwise.
    """

    def compiled(function):
        part = kernel(**options)(function)

        def lead(board, bounds, patience, *arguments):
            # Here, and not in Python, where Ctrl-C may come between a lock and what gives it back.
            if not _replace(board, _TAKEN, 0, 1):
                return TAKEN
            _publish(part, board, arguments)
            return _lead(board, bounds, patience)

        # Its files are named after it, and two modules may have kernels of one name.
        lead.__qualname__ = f"{function.__module__}.{function.__qualname__}.lead"
        lead = kernel(of=function, **OPTIONS)(lead)
        _divisible.append(Divisible(part, lead, items, work, bounds))
        return _divisible[-1]

    return compiled


def compile_leads():
    """Compile the call of the crew for all types that divisible kernels were called with."""
    numbers, number = types.Array(types.int64, 1, "C"), types.int64
    for shared in _divisible:
        for arguments in list(shared.part.signatures):
            # As a call from Python names them: code for another tuple would be read from disk anew
            # at each call.
            packed = types.BaseTuple.from_types(arguments[:-2])
            shared.lead.compile((numbers, numbers, number, packed))
    help_out.compile((numbers, number, number))
    call_off.compile((numbers,))
