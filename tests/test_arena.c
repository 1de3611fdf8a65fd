#include "core/arena.h"
#include "support/memory.h"
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

static test_memory memory;
static sigad_allocator allocator;
static sg_arena arena;

static void open_arena(void)
{
    memory = (test_memory){0};
    allocator = test_memory_allocator(&memory);
    sg_arena_init(&arena, &allocator);
}

static void close_arena(void)
{
    sg_arena_destroy(&arena);
    cr_expect_eq(memory.blocks, 0);
    cr_expect_eq(memory.mistakes, 0);
}

TestSuite(arena, .init = open_arena, .fini = close_arena);

Test(arena, blocks_are_aligned_apart_and_writable)
{
    unsigned char *blocks[100];
    for (int i = 0; i < 100; i++) {
        size_t bytes = (size_t)(i * 37);
        blocks[i] = sg_arena_take(&arena, bytes);
        cr_assert_not_null(blocks[i]);
        cr_expect_eq((uintptr_t)blocks[i] % 64, 0);
        memset(blocks[i], i, bytes);
    }
    for (int i = 0; i < 100; i++)
        for (int k = 0; k < i * 37; k++) cr_assert_eq(blocks[i][k], i);
}

Test(arena, nothing_is_a_valid_block)
{
    cr_expect_not_null(sg_arena_take(&arena, 0));
    cr_expect_not_null(sg_arena_take_zeroed(&arena, 0));
    cr_expect_not_null(sg_arena_take(&arena, 0));
}

Test(arena, zeroed_blocks_are_zero_where_others_were)
{
    memset(sg_arena_take(&arena, 1000), 0xFF, 1000);
    sg_arena_reset(&arena);
    const unsigned char *block = sg_arena_take_zeroed(&arena, 1000);
    for (int i = 0; i < 1000; i++) cr_assert_eq(block[i], 0);
}

Test(arena, grows_for_blocks_larger_than_all_it_has)
{
    char *small = sg_arena_take(&arena, 10), *large = sg_arena_take(&arena, 1 << 20);
    memset(small, 1, 10);
    memset(large, 2, 1 << 20);
    cr_expect_eq(small[9], 1);
    cr_expect_eq(memory.blocks, 2);
}

Test(arena, sizes_beyond_all_memory_are_refused)
{
    cr_expect_null(sg_arena_take(&arena, SIZE_MAX));
    cr_expect_null(sg_arena_take(&arena, SIZE_MAX / 2));
    cr_expect_null(sg_arena_take_zeroed(&arena, SIZE_MAX - 63));
    cr_expect_eq(memory.blocks, 0);
    cr_expect_not_null(sg_arena_take(&arena, 10));
}

Test(arena, rewinding_gives_the_same_bytes_again)
{
    char *kept = sg_arena_take(&arena, 100);
    memset(kept, 7, 100);
    sg_arena_mark mark = sg_arena_position(&arena);
    void *first = sg_arena_take(&arena, 500);
    sg_arena_take(&arena, 1 << 18); /* in a chunk of its own */
    sg_arena_rewind(&arena, mark);
    cr_expect_eq(sg_arena_take(&arena, 500), first);
    cr_expect_eq(kept[99], 7);
    size_t requests = memory.requests;
    cr_expect_not_null(sg_arena_take(&arena, 1 << 18));
    cr_expect_eq(memory.requests, requests, "the second chunk was there already");
}

Test(arena, a_mark_of_an_empty_arena_is_its_start)
{
    sg_arena_mark mark = sg_arena_position(&arena);
    void *first = sg_arena_take(&arena, 64);
    sg_arena_take(&arena, 1 << 18);
    sg_arena_rewind(&arena, mark);
    cr_expect_eq(sg_arena_take(&arena, 64), first);
}

static void step(size_t scale)
{
    sg_arena_mark mark;
    for (int i = 0; i < 40; i++) {
        cr_assert_not_null(sg_arena_take(&arena, scale * (size_t)(i + 1)));
        mark = sg_arena_position(&arena);
        cr_assert_not_null(sg_arena_take(&arena, scale * 50)); /* scratch */
        sg_arena_rewind(&arena, mark);
    }
}

Test(arena, nothing_is_allocated_from_the_third_step_on)
{
    for (size_t scale = 1; scale <= 10000; scale *= 10) {
        size_t calls = 0;
        for (int i = 0; i < 6; i++) {
            if (i == 2) calls = memory.calls;
            step(scale);
            sg_arena_reset(&arena);
        }
        cr_expect_eq(memory.calls, calls, "scale %zu", scale);
        cr_expect_eq(memory.blocks, 1, "the chunks were merged");
    }
}

Test(arena, a_failed_merge_is_made_up_for)
{
    step(10000);
    memory.fail_at = memory.requests + 1;
    sg_arena_reset(&arena);
    cr_expect_eq(memory.failed, 1);
    cr_expect_eq(memory.blocks, 0);
    step(10000);
    sg_arena_reset(&arena);
    cr_expect_eq(memory.blocks, 1);
}

Test(arena, a_failed_block_leaves_the_rest_usable)
{
    char *kept = sg_arena_take(&arena, 100);
    memset(kept, 3, 100);
    memory.fail_at = memory.requests + 1;
    cr_expect_null(sg_arena_take(&arena, 1 << 20));
    cr_expect_not_null(sg_arena_take(&arena, 100));
    cr_expect_not_null(sg_arena_take(&arena, 1 << 20));
    cr_expect_eq(kept[50], 3);
}
