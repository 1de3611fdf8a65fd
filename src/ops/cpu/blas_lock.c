/* A sequential OpenBLAS as the distributions build it (0.3.21, without USE_LOCKING) hands out its
 * packing buffers without a lock (driver/others/memory.c, blas_memory_alloc): two threads that
 * multiply at once may get the same buffer, and wrong products. The linker's --wrap, set in
 * CMakeLists.txt, puts these two functions around its own. The lock is held for the search of a
 * free buffer only, and is the one thing that contexts share, as they share OpenBLAS. */
#include <pthread.h>

void *__real_blas_memory_alloc(int position);
void __real_blas_memory_free(void *buffer);
void *__wrap_blas_memory_alloc(int position);
void __wrap_blas_memory_free(void *buffer);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void *__wrap_blas_memory_alloc(int position)
{
    pthread_mutex_lock(&lock);
    void *buffer = __real_blas_memory_alloc(position);
    pthread_mutex_unlock(&lock);
    return buffer;
}

void __wrap_blas_memory_free(void *buffer)
{
    pthread_mutex_lock(&lock);
    __real_blas_memory_free(buffer);
    pthread_mutex_unlock(&lock);
}
