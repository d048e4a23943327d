/** @returns the path of the script of the npm that is beside this Node */
export function npmOfThisNode(): string;
