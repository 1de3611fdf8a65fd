/* invert: draws a path from nothing but its log-signature.
 *
 * The signature determines a path up to where it starts and how fast it runs (Chen 1958; Hambly and
 * Lyons 2010), so a polygon with a known number of corners can be found by making its log-signature
 * agree. L-BFGS moves the corners; the start stays at the origin. Low degrees see the coarse shape:
 * the search goes up degree by degree, each from the answer of the one below. */
#include "support.h"
#include <math.h>

enum { POINTS = 6, MOVING = POINTS - 1 }; /* the first point stays */

static const double target[POINTS][2] = {{0, 0},     {1, 0.1}, {1.2, 0.8},
                                         {0.2, 1.2}, {0.3, 2}, {1.3, 2.1}}; /* an S */

typedef struct {
    sigad_tape *tape;
    sigad_tensor path, loss;
} problem;

/* Records the loss at a degree: the distance of the log-signatures in the Lyndon basis, which has
   no redundant coordinate, plus the distance of the signatures that they stand for. */
static void problem_record(problem *p, sigad_tensor corners, int degree)
{
    const sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = degree,
                                 .method = SIGAD_LYNDON_WORDS};
    sigad_tape *t = p->tape;
    sigad_tape_reset(t);
    sigad_tensor goal = sigad_constant(t, SIGAD_F64, SIGAD_SHAPE(POINTS, 2), target);
    sigad_tensor log_goal = sigad_detach(t, sigad_log_sig(t, goal, &spec)); /* all that is known */

    sigad_tensor start = sigad_constant(t, SIGAD_F64, SIGAD_SHAPE(1, 2), target[0]);
    p->path = sigad_concat(t, 2, (sigad_tensor[]){start, corners}, 0);
    sigad_tensor log_sig = sigad_sig_to_log_sig(t, sigad_sig(t, p->path, &spec), &spec);
    p->loss = sigad_add(t, sigad_mse(t, log_sig, log_goal),
                        sigad_mse(t, sigad_logsig_to_sig(t, log_sig, &spec),
                                  sigad_logsig_to_sig(t, log_goal, &spec)));
}

/* Called by L-BFGS after it has moved the corners. */
static sigad_status problem_evaluate(void *user, double *loss)
{
    const problem *p = user;
    if (sigad_replay(p->tape)) return sigad_context_status(sigad_tape_context(p->tape));
    *loss = sigad_item(p->tape, p->loss);
    return sigad_backward(p->tape, p->loss);
}

/* The largest distance between corners that should be one. */
static double path_error(const double path[POINTS][2])
{
    double error = 0.0;
    for (int i = 0; i < POINTS; i++)
        error = fmax(error, hypot(path[i][0] - target[i][0], path[i][1] - target[i][1]));
    return error;
}

/* ---- the picture --------------------------------------------------------------------------- */

static void draw(picture *p, const double path[POINTS][2], const char *style)
{
    if (!p->file) return;
    fputs("<polyline fill=\"none\" stroke-linejoin=\"round\" points=\"", p->file);
    for (int i = 0; i < POINTS; i++)
        fprintf(p->file, "%.2f,%.2f ", 70 + 200 * path[i][0], 440 - 200 * path[i][1]);
    fprintf(p->file, "\" %s/>\n", style);
}

static int plot(const char *file, const double start[POINTS][2], const double path[POINTS][2])
{
    picture p = picture_open(file, 400, 500);
    draw(&p, target, "stroke=\"#b8c8e0\" stroke-width=\"14\"");
    draw(&p, start, "stroke=\"#999\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\"");
    draw(&p, path, "stroke=\"#c03020\" stroke-width=\"2.5\"");
    picture_text(&p, 20, 480, "start", "#8098c0", "target");
    picture_text(&p, 120, 480, "start", "#999", "where the search began");
    picture_text(&p, 380, 480, "end", "#c03020", "recovered");
    return picture_close(&p);
}

/* ---- the search ---------------------------------------------------------------------------- */

/* Where the search begins: on the straight line to where the path must end, jostled. */
static sigad_tensor corners_create(sigad_context *ctx, sigad_tape *t, double jostle)
{
    double corner[MOVING][2];
    sigad_tensor corners =
        sigad_parameter(ctx, "corners", SIGAD_F64, SIGAD_SHAPE(MOVING, 2), SIGAD_INIT_ZERO);
    const double *noise = sigad_data(t, sigad_normal(t, SIGAD_F64, SIGAD_SHAPE(MOVING, 2)));
    for (int i = 0; noise && i < MOVING; i++)
        for (int k = 0; k < 2; k++)
            corner[i][k] = target[MOVING][k] * (i + 1) / MOVING + jostle * noise[2 * i + k];
    if (noise) sigad_parameter_write(ctx, corners, corner, sizeof corner);
    return corners;
}

int main(int argc, char **argv)
{
    long degree = 6, iterations = 2000, seed = 0;
    const char *file = "invert.svg";
    const option options[] = {
        {"degree", "of the log-signature", .number = &degree, .low = 2, .high = 12},
        {"iterations", "of L-BFGS, at each degree", .number = &iterations, .low = 1,
         .high = 100000},
        {"seed", "of the start", .number = &seed, .low = 0, .high = 1000000000},
        {"plot", "the picture (invert.svg)", .text = &file}};
    parse_arguments(argc, argv,
                    "usage: invert [options]\n"
                    "Draws a path from its log-signature.",
                    0, options, 4);

    sigad_context *ctx = context_open(NULL, 1, seed);
    problem p = {0};
    double start[POINTS][2] = {{0}}, path[POINTS][2] = {{0}}, loss = NAN;
    sigad_tape_create(ctx, &p.tape);
    sigad_tensor corners = corners_create(ctx, p.tape, 0.1);
    puts("degree   iterations   evaluations       loss   path error");
    for (int n = 2; n <= degree && !sigad_context_status(ctx); n++) {
        sigad_lbfgs_options search = {SIGAD_LBFGS_OPTIONS_INIT, .history = 20,
                                      .max_iterations = iterations, .tolerance_gradient = 1e-12};
        sigad_lbfgs_report report = {SIGAD_LBFGS_REPORT_INIT};
        problem_record(&p, corners, n);
        if (n == 2) sigad_read(p.tape, p.path, start, sizeof start);
        if (sigad_lbfgs_train(ctx, problem_evaluate, &p, &search, &report)) break;
        sigad_replay(p.tape);
        sigad_read(p.tape, p.path, path, sizeof path);
        loss = report.loss;
        printf("%6d   %10lld   %11lld   %8.2e   %10.2e\n", n, (long long)report.iterations,
               (long long)report.evaluations, loss, path_error(path));
    }
    if (context_close(ctx) || plot(file, start, path)) return EXIT_FAILURE;
    printf("%s: loss %.2e, path error %.2e\n", file, loss, path_error(path));
    return loss < 1e-8 ? EXIT_SUCCESS : EXIT_FAILURE;
}
