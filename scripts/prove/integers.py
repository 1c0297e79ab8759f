"""Solve one SMT-LIB file with cvc5 over the integers: halmos's solver for products and quotients.

Bit vectors of 256 bits that are multiplied and divided are beyond what bit-blasting solves. The wheel of
cvc5 has no program, so this is one.
"""

import sys

import cvc5


def main(path: str) -> None:
    """Print what the commands in the file print."""
    solver = cvc5.Solver()
    solver.setOption("produce-models", "true")
    solver.setOption("solve-bv-as-int", "sum")
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, path)
    symbols = parser.getSymbolManager()
    while not (command := parser.nextCommand()).isNull():
        print(command.invoke(solver, symbols), end="")


if __name__ == "__main__":
    main(sys.argv[1])
