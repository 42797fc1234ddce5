/* What a loader asks of the kernel: libc's syscall(), which libbpf and purebpf both call bpf(2) through, writes down what an object
 * is made of before it passes the call on. One line a call, in the file named by BPF_CALLS:
 *
 *   object NAME                                         as `mark` says
 *   map RESULT NAME type key value entries flags numa extra inner key_type value_type
 *   set NAME type KEY VALUE                             an entry, in hex
 *   freeze NAME
 *   prog RESULT NAME type attach_type flags attach_btf_id LICENCE FUNC_INFO LINE_INFO INSTRUCTIONS
 *
 * In instructions the fd of a map is 0; the names of maps follow, in order. Of types the name is told, - without any. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static long (*next)(long, ...);
static FILE *out;

static void ready(void)
{
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	if (!out && getenv("BPF_CALLS"))
		out = fopen(getenv("BPF_CALLS"), "w");
}

void mark(const char *name)
{
	ready();
	fprintf(out, "object %s\n", name);
	fflush(out);
}

static struct bpf_map_info map_of(int fd)
{
	struct bpf_map_info info = {};
	union bpf_attr ask = {};
	int saved = errno;

	ask.info.bpf_fd = fd;
	ask.info.info_len = sizeof(info);
	ask.info.info = (unsigned long)&info;
	next(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &ask, sizeof(ask));
	errno = saved;
	return info;
}

static void hex(const void *data, size_t size)
{
	fputc(' ', out);
	if (!size)
		fputc('-', out);
	for (size_t i = 0; i < size; i++)
		fprintf(out, "%02x", ((const unsigned char *)data)[i]);
}

static void tell_program(const union bpf_attr *attr, long result)
{
	const struct bpf_insn *given = (void *)(unsigned long)attr->insns;
	struct bpf_insn *shown = malloc(attr->insn_cnt * sizeof(*shown));

	fprintf(out, "prog %ld %.15s %u %u %u %u", result, attr->prog_name[0] ? attr->prog_name : "-", attr->prog_type,
		attr->expected_attach_type, attr->prog_flags, attr->attach_btf_id);
	hex((void *)(unsigned long)attr->license, strlen((char *)(unsigned long)attr->license));
	hex((void *)(unsigned long)attr->func_info, attr->func_info_cnt * attr->func_info_rec_size);
	hex((void *)(unsigned long)attr->line_info, attr->line_info_cnt * attr->line_info_rec_size);
	memcpy(shown, given, attr->insn_cnt * sizeof(*shown));
	for (unsigned i = 0; i < attr->insn_cnt; i++)
		if (given[i].code == 0x18 && (given[i].src_reg == 1 || given[i].src_reg == 2))
			shown[i].imm = 0;
	hex(shown, attr->insn_cnt * sizeof(*shown));
	for (unsigned i = 0; i < attr->insn_cnt; i++)
		if (given[i].code == 0x18 && (given[i].src_reg == 1 || given[i].src_reg == 2))
			fprintf(out, " %s", map_of(given[i].imm).name);
	fputc('\n', out);
	free(shown);
}

static void tell(int command, const void *given, size_t size, long result)
{
	union bpf_attr whole = {}, *attr = &whole;
	struct bpf_map_info map;

	memcpy(attr, given, size < sizeof(whole) ? size : sizeof(whole));

	switch (command) {
	case BPF_MAP_CREATE:
		map = map_of(attr->inner_map_fd);
		fprintf(out, "map %ld %.15s %u %u %u %u %u %u %llu %s %u %u\n", result, attr->map_name[0] ? attr->map_name : "-", attr->map_type,
			attr->key_size, attr->value_size, attr->max_entries, attr->map_flags, attr->numa_node,
			attr->map_extra, attr->inner_map_fd ? map.name : "-",
			attr->btf_key_type_id, attr->btf_value_type_id);
		break;
	case BPF_MAP_UPDATE_ELEM:
		map = map_of(attr->map_fd);
		fprintf(out, "set %s %u", map.name, map.type);
		hex((void *)(unsigned long)attr->key, map.key_size);
		hex((void *)(unsigned long)attr->value, map.value_size);
		fputc('\n', out);
		break;
	case BPF_MAP_FREEZE:
		fprintf(out, "freeze %s\n", map_of(attr->map_fd).name);
		break;
	case BPF_PROG_LOAD:
		tell_program(attr, result);
		break;
	}
	fflush(out);
}

long syscall(long number, ...)
{
	long argument[6], result;
	va_list list;
	int saved;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(list, long);
	va_end(list);
	ready();
	result = next(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
	saved = errno;
	if (number == SYS_bpf && out)
		tell(argument[0], (void *)argument[1], argument[2], result < 0 ? -saved : 0);
	errno = saved;
	return result;
}
