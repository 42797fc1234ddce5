# test: errors
@bpf.xdp
def prog(ctx):
    try:
        x = [i for i in range(3)]
    except ValueError:
        pass
    return 1
# ==>
test.py:5:5: error[unsupported]: 'try' is not part of the language
    4 | def prog(ctx):
    5 |     try:
      |     ^^^^
  help: nothing raises in BPF: test for None, or check what a helper returns

# test: errors
import os
@bpf.xdp
def prog(ctx):
    x = 1.5
    y = 7 / 2
    z = {1: 2}
    os.getpid()
    return 2
# ==>
test.py:6:9: error[unsupported]: a float is not part of the language
    5 | def prog(ctx):
    6 |     x = 1.5
      |         ^^^
  help: BPF has integers only: scale the number, as in milliseconds instead of seconds

test.py:7:9: error[unsupported]: '/' makes a float, which BPF has not
    6 |     x = 1.5
    7 |     y = 7 / 2
      |         ^^^^^
  help: use '//'

test.py:8:9: error[unsupported]: a dict is not part of the language
    7 |     y = 7 / 2
    8 |     z = {1: 2}
      |         ^^^^^^
  help: use a map: HashMap[K, V](max_entries=…) at module level

test.py:9:5: error[unsupported]: calling 'getpid' is not part of the language
    8 |     z = {1: 2}
    9 |     os.getpid()
      |     ^^^^^^^^^^^
  help: write 'bpf.current_pid()'

# test: errors
@bpf.xdp
def prog(ctx):
    def inner():
        return 1
    import os
    raise ValueError
# ==>
test.py:7:5: error[unsupported]: 'import' here is not part of the language
    6 |         return 1
    7 |     import os
      |     ^^^^^^^^^
  help: import at module level

test.py:8:5: error[unsupported]: 'raise' is not part of the language
    7 |     import os
    8 |     raise ValueError
      |     ^^^^^^^^^^^^^^^^
  help: return a value, or 'assert condition' to stop with the program's default answer

# test: errors
@bpf.xdp
def prog(ctx):
    return 2 if ctx is ctx else 1
# ==>
test.py:5:17: error[unsupported]: 'is' compares with None only
    4 | def prog(ctx):
    5 |     return 2 if ctx is ctx else 1
      |                 ^^^^^^^^^^
  help: use '=='
