#include "difference.h"

#include <string.h>

static double along(game *g, int i, const double here[THETA], game_function function, const void *context)
{
    static const double step[4] = {1e-3, -1e-3, 2e-3, -2e-3}, weight[4] = {8.0, -8.0, -1.0, 1.0};
    double sum = 0.0, theta[THETA];
    for (int j = 0; j < 4; j++) {
        memcpy(theta, here, sizeof theta);
        theta[i] += step[j];
        game_at(g, theta);
        sum += weight[j] * function(g, context);
    }
    return sum / (12.0 * 1e-3);
}

void game_difference(game *g, game_function function, const void *context, double out[THETA])
{
    double here[THETA];
    memcpy(here, g->theta, sizeof here);
    for (int i = 0; i < THETA; i++)
        out[i] = along(g, i, here, function, context);
    game_at(g, here);
}

double game_outer_at_response(game *g, const void *unused)
{
    (void)unused;
    return game_outer(g);
}
