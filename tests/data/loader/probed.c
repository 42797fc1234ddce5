// A program with USDT probes, as <sys/sdt.h> would write them: one with a semaphore, at two places; one without.
// Each line of input hits them; it says whether somebody listens.
#include <stdio.h>

unsigned short listeners __attribute__((section(".probes"), used));

#define NOTE(name, semaphore, arguments) \
	"990: nop\n.pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n.4byte 992f-991f,994f-993f,3\n" \
	"991: .asciz \"stapsdt\"\n992: .balign 4\n993: .8byte 990b\n.8byte _.stapsdt.base\n.8byte " semaphore "\n" \
	".asciz \"prov\"\n.asciz \"" name "\"\n.asciz \"" arguments "\"\n994: .balign 4\n.popsection\n" \
	".ifndef _.stapsdt.base\n.pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
	".weak _.stapsdt.base\n.hidden _.stapsdt.base\n_.stapsdt.base: .space 1\n.size _.stapsdt.base,1\n.popsection\n.endif\n"

static void __attribute__((noinline)) hit(int a, long b, long c)
{
	volatile long memory[2] = {c, c + 1};

	__asm__ volatile(NOTE("hit", "listeners", "-4@%k0 8@%1 8@%2 -4@$-9 -2@%w3") :: "r"(a), "r"(b), "m"(memory[1]), "r"(a));
}

int main(void)
{
	char line[16];

	while (fgets(line, sizeof line, stdin)) {
		hit(-5, 1L << 40, 76);
		__asm__ volatile(NOTE("hit", "listeners", "-4@$7 8@$8 8@$9 -4@$10 -2@$11"));
		__asm__ volatile(NOTE("bare", "0", ""));
		printf("%d\n", listeners);
		fflush(stdout);
	}
	return 0;
}
