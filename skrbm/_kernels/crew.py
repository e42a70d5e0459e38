"""Kernels whose work a crew shares: several threads take parts of one call, without the GIL.

A job is a call of one kernel, cut into parts that depend only on the sizes of its arguments.
The thread that has the job is the lead. It writes the arguments where all of the crew see them,
then everybody who is awake takes one part after the other. The lead takes parts as well, so that
a helper that sleeps, or that the system has stopped, holds up nobody unless it is in the middle of
a part. A helper that finds no part waits for the next job for some microseconds, then gives its
thread back to Python, which lets it sleep. (What else was tried: how_fast.rst.)

All that the crew share is one array of int64, the board; its cells are the numbers below. Those
that different threads write while others read are atomic, and lie in cache lines of their own.
"""

import platform

from llvmlite import ir
from numba import int64, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from .cache import kernel
from .inlined import OPTIONS

__all__ = ["BOARD", "FAILED", "QUIT", "Divisible", "divisible", "finish", "help_out", "per_number"]

# The job's number, number of parts and next part in one word: whoever takes a part of an old job
# finds another word, whatever the lead is writing meanwhile.
_TICKET = 0
_JOB, _PARTS, _PART = 32, 16, 0xFFFF
_DONE = 16  # number of parts that are done
QUIT = 32  # not 0: helpers go home
FAILED = 48  # not 0: a part has raised an error
_N_ITEMS, _TASK, _ARGUMENTS, _ROOM = 64, 65, 72, 128  # what the ticket makes public
#: Number of cells.
BOARD = _ARGUMENTS + _ROOM

_X86 = platform.machine().lower() in ("x86_64", "amd64")


# --- Words that threads share -----------------------------------------------------------------


def _cell(context, builder, signature, values):
    board = context.make_array(signature.args[0])(context, builder, values[0])
    return builder.gep(board.data, [values[1]])


@intrinsic
def _read(typingctx, board, cell):
    def codegen(context, builder, signature, values):
        return builder.load_atomic(_cell(context, builder, signature, values), "acquire", 8)

    return int64(board, int64), codegen


@intrinsic
def _write(typingctx, board, cell, value):
    def codegen(context, builder, signature, values):
        pointer = _cell(context, builder, signature, values)
        builder.store_atomic(values[2], pointer, "release", 8)
        return context.get_dummy_value()

    return types.none(board, int64, int64), codegen


@intrinsic
def _add(typingctx, board, cell, value):
    def codegen(context, builder, signature, values):
        pointer = _cell(context, builder, signature, values)
        return builder.atomic_rmw("add", pointer, values[2], "acq_rel")

    return int64(board, int64, int64), codegen


@intrinsic
def _replace(typingctx, board, cell, expected, value):
    """Whether the cell held what was expected; it then holds the value."""

    def codegen(context, builder, signature, values):
        pointer = _cell(context, builder, signature, values)
        pair = builder.cmpxchg(pointer, values[2], values[3], "acq_rel", "acquire")
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


# --- The arguments of a job -------------------------------------------------------------------

_task_type = ir.FunctionType(
    ir.IntType(32), [ir.IntType(8).as_pointer(), ir.IntType(64), ir.IntType(64)]
)


@intrinsic
def _publish(typingctx, function, board, arguments):
    """Write the arguments to the board, and the address of a function that reads them.

    The arguments lie there as the compiler keeps them: arrays as addresses and sizes. The lead
    keeps the arrays alive. The function is made here, for the types of the arguments. It has the
    same type for all kernels: ``task(arguments, first, stop)`` returns 0, or else the kernel
    raised an error.
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
        inputs = [*cgutils.unpack_tuple(inner, inner.load(pointer)), *task.args[1:]]
        status, _ = context.call_conv.call_function(
            inner, native, types.none, kernel_signature.args, inputs
        )
        inner.ret(status.code)

        board_array = context.make_array(signature.args[1])(context, builder, values[1])

        def cell(k, of):
            address = builder.gep(board_array.data, [context.get_constant(types.intp, k)])
            return builder.bitcast(address, of.as_pointer())

        builder.store(values[2], cell(_ARGUMENTS, packed), align=8)
        builder.store(task, cell(_TASK, _task_type.as_pointer()))
        return context.get_dummy_value()

    return types.none(function, board, arguments), codegen


@intrinsic
def _perform(typingctx, board, first, stop):
    """Do the items from first to stop of the job on the board; 0 unless there was an error."""

    def codegen(context, builder, signature, values):
        board_array = context.make_array(signature.args[0])(context, builder, values[0])

        def cell(k):
            return builder.gep(board_array.data, [context.get_constant(types.intp, k)])

        task = builder.load(builder.bitcast(cell(_TASK), _task_type.as_pointer().as_pointer()))
        arguments = builder.bitcast(cell(_ARGUMENTS), ir.IntType(8).as_pointer())
        return builder.call(task, [arguments, values[1], values[2]])

    return types.int32(board, int64, int64), codegen


# --- The work ---------------------------------------------------------------------------------


@njit(inline="always")
def _take_parts(board):
    """Do parts of the job on the board as long as there are any; whether there was one."""
    found = False
    while True:
        ticket = _read(board, _TICKET)
        part, n_parts = ticket & _PART, (ticket >> _PARTS) & _PART
        if part >= n_parts:
            return found
        if _replace(board, _TICKET, ticket, ticket + 1):
            found = True
            n_items = board[_N_ITEMS]
            first, stop = n_items * part // n_parts, n_items * (part + 1) // n_parts
            if _perform(board, first, stop) != 0:
                _write(board, FAILED, 1)
            _add(board, _DONE, 1)


@njit(inline="always")
def _all_done(board, patience):
    """Wait for the parts that others have taken; whether they are done."""
    n_parts = (_read(board, _TICKET) >> _PARTS) & _PART
    for _ in range(patience):
        if _read(board, _DONE) == n_parts:
            return True
        _pause()
    return False


@kernel(**OPTIONS)
def help_out(board, patience):
    """Work of a helper: parts of jobs, until none has come for a while, or until ``QUIT``.

    Parameters
    ----------
    board : ndarray of shape (BOARD,), int64                                           INOUT
    patience : int                                                                        IN
        How often to look for the next job, a pause of the processor apart.
    """
    idle = 0
    while idle < patience and _read(board, QUIT) == 0:
        idle = 0 if _take_parts(board) else idle + 1
        _pause()


@kernel(**OPTIONS)
def finish(board, patience):
    """Whether all parts of the job are done, within so many looks.

    Parameters
    ----------
    board : ndarray of shape (BOARD,), int64                                              IN
    patience : int                                                                        IN
    """
    return _all_done(board, patience)


class Divisible:
    """A kernel whose work a crew can share. A call does all the work in this thread.

    Parameters
    ----------
    part : callable
        ``part(*arguments, first, stop)`` does some of the items.
    lead : callable
        ``lead(board, n_items, n_parts, patience, *arguments)`` does the job with whoever looks at
        the board; whether all parts were done when its patience was over.
    items : callable
        ``items(*arguments)`` is the number of items.
    work : callable
        ``work(*arguments)``: multiplications, or what takes as long, of all items.
    """

    def __init__(self, part, lead, items, work):
        self.part, self.lead, self.items, self.work = part, lead, items, work

    def __call__(self, *arguments):
        self.part(*arguments, 0, self.items(*arguments))


def per_number(multiplications):
    """The work of a kernel that takes so long for each number of its last argument."""
    return lambda *arguments: multiplications * arguments[-1].size


def _rows_of_last(*arguments):
    return arguments[-1].shape[0]


def divisible(work, items=_rows_of_last, **options):
    """``kernel`` for a function that ends with ``first, stop``: it does these items alone.

    Items are the rows of the last argument, unless ``items`` counts something else.
    """

    def compiled(function):
        part = kernel(**options)(function)

        def lead(board, n_items, n_parts, patience, *arguments):
            _publish(part, board, arguments)
            board[_N_ITEMS] = n_items
            board[_DONE] = 0
            job = (_read(board, _TICKET) >> _JOB) + 1
            _write(board, _TICKET, (job << _JOB) | (n_parts << _PARTS))
            _take_parts(board)
            return _all_done(board, patience)

        lead.__qualname__ = f"{function.__qualname__}.lead"
        return Divisible(part, kernel(of=function, **OPTIONS)(lead), items, work)

    return compiled
