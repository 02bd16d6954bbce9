/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A QEMU plugin that counts the instructions, loads and stores between two marks.
 *
 * Copyright (C) 2026 the edgekit authors
 *
 * This program is free software; you can redistribute it and/or modify it under the terms of the
 * GNU General Public License as published by the Free Software Foundation; either version 2 of
 * the License, or (at your option) any later version. It is distributed in the hope that it will
 * be useful, but WITHOUT ANY WARRANTY; without even the implied warranty of MERCHANTABILITY or
 * FITNESS FOR A PARTICULAR PURPOSE. See COPYING beside this file.
 *
 * A plugin runs inside QEMU, which is under this licence, and so this one file is too. The rest of
 * edgekit does not link to it: it starts `qemu-aarch64 -plugin count.so,fd=N` and reads lines.
 *
 * The guest marks a place with the system call getpriority(MAGIC, kind, sample): Linux answers
 * EINVAL to such a request, so that it does nothing. Each mark writes one line to descriptor N:
 *
 *     kind sample instructions loads stores
 *
 * With `memory=off` loads and stores are not counted and lines end after the instructions: there is
 * a third less to translate before the first mark, and the instructions are the same.
 *
 * Instructions are those of the calling thread: threads that numpy or a runtime keep in the
 * background stay out. QEMU 7.2 has one inline counter for all threads, so loads and stores are
 * those of the process; with one thread at work they are the same. A pair (ldp) is two accesses.
 *
 * The interface calls 1 reads and 2 writes, but QEMU 7.2 compares them with a number that is one
 * too large: what asks for 1 gets the stores, what asks for 2 gets both. Seen with a program that
 * only loads and then only stores; tests/measure/devices/test_counting.py holds it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is used of the plugin interface, version 1, so that no header of QEMU is needed. */
typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { NO_REGISTERS = 0, STORES = 1, LOADS_AND_STORES = 3, ADD_U64 = 0 };
typedef void (*translated)(plugin_id, struct qemu_plugin_tb *);
typedef void (*executed)(unsigned thread, void *data);
typedef void (*called)(plugin_id, unsigned thread, int64_t number, uint64_t, uint64_t, uint64_t,
                       uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, translated callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, executed callback,
                                          int flags, void *data);
void qemu_plugin_register_vcpu_mem_inline(struct qemu_plugin_insn *instruction, int access,
                                          int operation, void *counter, uint64_t amount);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id id, called callback);

#define EXPORT __attribute__((visibility("default")))

enum { MOST_THREADS = 1024, GETPRIORITY = 141 };
static const uint64_t MAGIC = 0x65646765; /* "edge" */

/* One cache line for each thread. */
static struct { uint64_t instructions; char unused[56]; } threads[MOST_THREADS];
static uint64_t accesses, stores;
static int output = 2, counts_memory = 1;

static void on_execution(unsigned thread, void *instructions)
{
    if (thread < MOST_THREADS)
        threads[thread].instructions += (uintptr_t)instructions;
}

static void on_translation(plugin_id id, struct qemu_plugin_tb *block)
{
    size_t count = qemu_plugin_tb_n_insns(block);
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_execution, NO_REGISTERS, (void *)count);
    for (size_t i = 0; counts_memory && i < count; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        qemu_plugin_register_vcpu_mem_inline(instruction, LOADS_AND_STORES, ADD_U64, &accesses,
                                             1);
        qemu_plugin_register_vcpu_mem_inline(instruction, STORES, ADD_U64, &stores, 1);
    }
}

static void on_system_call(plugin_id id, unsigned thread, int64_t number, uint64_t magic,
                           uint64_t kind, uint64_t sample, uint64_t a4, uint64_t a5, uint64_t a6,
                           uint64_t a7, uint64_t a8)
{
    char line[128];
    (void)id, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (number != GETPRIORITY || magic != MAGIC || thread >= MOST_THREADS)
        return;
    int length = snprintf(line, sizeof line, "%llu %llu %llu", (unsigned long long)kind,
                          (unsigned long long)sample,
                          (unsigned long long)threads[thread].instructions);
    if (counts_memory)
        length += snprintf(line + length, sizeof line - (size_t)length, " %llu %llu",
                           (unsigned long long)(accesses - stores), (unsigned long long)stores);
    line[length++] = '\n';
    if (write(output, line, (size_t)length) != length)
        abort(); /* a count that is lost must not look like one that was not asked for */
}

EXPORT int qemu_plugin_version = 1;

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int count, char **arguments)
{
    (void)info;
    for (int i = 0; i < count; i++) {
        if (strncmp(arguments[i], "fd=", 3) == 0)
            output = atoi(arguments[i] + 3);
        else if (strcmp(arguments[i], "memory=off") == 0)
            counts_memory = 0;
        else
            return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_vcpu_syscall_cb(id, on_system_call);
    return 0;
}
