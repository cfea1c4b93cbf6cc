/* SPDX-License-Identifier: MIT
 * Reads JSON numbers, one a line, from standard input; prints each as a hexadecimal float, or why it is refused. */
#include "../../core/src/json.h"
#include "harness.h"

int main(void)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        double value;
        td_json j = td_json_in(line, strlen(line));
        if (td_json_number(&j, &value) && td_json_end(&j))
            printf("%a\n", value);
        else
            printf("%s\n", j.error);
    }
    return 0;
}
