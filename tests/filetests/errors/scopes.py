# test: errors
@struct
class Cell:
    lock: SpinLock
    n: u64
cells = Array[Cell](max_entries=1)
@bpf.tc
def prog(ctx):
    cell = cells[0]
    with cell.lock:
        cell.n = ktime_ns()
        with cell.lock:
            cell.n += 1
    return 0
# ==>
test.py:12:18: error[locked]: ktime_ns() cannot be called while a lock is held
   11 |     with cell.lock:
   12 |         cell.n = ktime_ns()
      |                  ^^^^^^^^^^
  help: do it before or after the 'with' block of the lock

test.py:13:14: error[locked]: a second lock cannot be taken while one is held
   12 |         cell.n = ktime_ns()
   13 |         with cell.lock:
      |              ^^^^^^^^^
  help: one after the other

# test: errors
@bpf.tc
def prog(ctx):
    t = bytes(12)
    sk = helpers.sk_lookup_tcp(ctx, t, 12, -1, 0)
    if sk:
        return 1
    return 0
# ==>
test.py:8:9: error[not-released]: what sk_lookup_tcp() gave is not given back on this path
    7 |     if sk:
    8 |         return 1
      |         ^^^^^^^^
test.py:6:10: note: it was acquired here
    5 |     t = bytes(12)
    6 |     sk = helpers.sk_lookup_tcp(ctx, t, 12, -1, 0)
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: call sk_release() on every path, or use 'with'

# test: errors
@bpf.tc
def prog(ctx):
    t = bytes(12)
    sk = helpers.sk_lookup_tcp(ctx, t, 12, -1, 0)
    if sk is None:
        return 0
    helpers.sk_release(sk)
    helpers.sk_release(sk)
    return 1
# ==>
test.py:10:24: error[use-after-release]: 'sk' has been given back
    9 |     helpers.sk_release(sk)
   10 |     helpers.sk_release(sk)
      |                        ^^
test.py:9:5: note: it was given back here
    8 |         return 0
    9 |     helpers.sk_release(sk)
      |     ^^^^^^^^^^^^^^^^^^^^^^
  help: use it before that
