/** Says the outcome in one line, as the other tests of the project do. */
module.exports = class Outcome {
  onRunComplete(_, { numPassedTests, numFailedTests }) {
    console.log(`${numPassedTests} passed, ${numFailedTests} failed`);
  }
};
