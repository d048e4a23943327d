/** The child of the kill harness: knows all scenarios and actors of this package. */
import { actors } from './actors.js';
import { obeyAll } from './obey.js';
import { scenarios } from './scenarios.js';

await obeyAll(scenarios, actors);
