/** A command line that cannot be carried out: the sentence for people, and the exit code. */
export class UsageError extends Error {
  readonly exitCode: number;

  /** @param exitCode 0 where something was asked for that ends the program, like its help */
  constructor(message: string, exitCode = 2) {
    super(message);
    this.name = 'UsageError';
    this.exitCode = exitCode;
  }
}
