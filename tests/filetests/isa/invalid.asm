# test: dis kernel
.insn 0xbf, 1, 2, 5, 0
.insn 0x18, 1, 0, 0, 7
.insn 0x95, 0, 0, 0, 0
.insn 0xff, 15, 15, -1, -1
# ==>
.insn 0xbf, 1, 2, 5, 0
.insn 0x18, 1, 0, 0, 7
exit
.insn 0xff, 15, 15, -1, -1
