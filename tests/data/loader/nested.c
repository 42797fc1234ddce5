// Functions that call each other with frame pointers, for stacks; each line of input goes all the way down.
#include <stdio.h>

int sink;

void __attribute__((noinline)) inner(int n) { __asm__ volatile("" ::: "memory"); sink += n; }
static void __attribute__((noinline)) middle(int n) { inner(n + 1); __asm__ volatile(""); }
void __attribute__((noinline)) outer(int n) { middle(n + 1); __asm__ volatile(""); }

int main(void)
{
	char line[16];

	while (fgets(line, sizeof line, stdin)) {
		outer(1);
		printf("%p %d\n", (void *)inner, sink);
		fflush(stdout);
	}
	return 0;
}
