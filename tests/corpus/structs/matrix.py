"""`u8[4][4]`: rows of rows, indexed at run time."""

import purebpf as bpf
from purebpf import Global, u8, u32

grid = Global[u8[4][4]]()
diagonal = Global[u32](0)


@bpf.xdp
def prog(ctx):
    for y in range(4):
        for x in range(4):
            grid[y][x] = y * 4 + x
    row = grid[2]
    row[3] = 99
    for i in range(4):
        diagonal.value += grid[i][i]
    grid[0] = grid[3]
    return grid[2][3] + len(grid) + len(grid[0])


CASES = [{"retval": 107, "globals_after": {
    "diagonal": 30, "grid": [[12, 13, 14, 15], [4, 5, 6, 7], [8, 9, 10, 99], [12, 13, 14, 15]]}}]
