/* Floating point numbers in as few digits as give them back. */
#ifndef NUMBER_TEXT_H
#define NUMBER_TEXT_H

#include <stdbool.h>

enum {
    NUMBER_DIGITS = 400, /* more than positional notation of any double needs before the point */
    NUMBER_TEXT = 40,    /* bytes of a number as Python writes it, with the NUL */
    NUMBER_COMPLEX = 2 * NUMBER_TEXT + 4,
};

/* A finite number: d.ddd… × 10^exponent. */
typedef struct number_decimal {
    bool negative; /* of -0, too */
    int count;     /* of digits, without zeros at the end; 1 for 0 */
    int exponent;
    char digits[NUMBER_DIGITS];
} number_decimal;

/* The shortest decimal that reads back as value, as a float when single; of several the nearest. */
void number_shortest(double value, bool single, number_decimal *out);
/* value rounded to so many digits behind the point, in scientific or positional notation, without zeros at the end. */
void number_exact(double value, bool scientific, int digits, number_decimal *out);
/* The same where the shortest decimal has more digits than that; else the shortest. */
void number_rounded(double value, bool single, bool scientific, int digits, number_decimal *out);

/* As Python's and NumPy's str() write it: "0.1", "1e-05", "nan", "-inf"; "(1+2j)". Returns text. */
const char *number_text(double value, bool single, char text[NUMBER_TEXT]);
const char *number_complex_text(double real, double imaginary, bool single, char text[NUMBER_COMPLEX]);

#endif
