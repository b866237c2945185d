"""Statistics of two methods on the same questions: intervals, tests, corrections, and the questions that are needed.

Every function takes plain sequences of numbers, paired by question, and gives the same result for the same input. This
package imports numpy and nothing of AutoAct; begin with paired.py.
"""
