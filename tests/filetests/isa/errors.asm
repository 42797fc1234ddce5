# test: asm
r0 = 1
mvo r1, 2
r1 += w2
goto away
r1 = *(u8 *)(r2 + 70000)
away2: exit
# ==>
AsmError: <asm>:2:1: error[unknown-mnemonic]: unknown instruction 'mvo'
    1 | r0 = 1
    2 | mvo r1, 2
      | ^^^
  help: did you mean 'mov'?

<asm>:3:7: error[register-width]: 'w2' does not fit here: this place takes a 64-bit register
    2 | mvo r1, 2
    3 | r1 += w2
      |       ^^
  help: write r2

<asm>:4:6: error[unknown-name]: there is no label 'away'
    3 | r1 += w2
    4 | goto away
      |      ^^^^
  help: did you mean 'away2'?

<asm>:5:17: error[out-of-range]: 70000 does not fit a 16-bit offset
    4 | goto away
    5 | r1 = *(u8 *)(r2 + 70000)
      |                 ^
