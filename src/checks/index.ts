// SPDX-License-Identifier: Apache-2.0
/**
 * What the tools of an image have to answer: which commands to run, whether an answer is right, and reports that other
 * programs read (TAP, JUnit). All of it is pure.
 * Knows definitions of tools; knows nothing of images' content, engines, networks or the command line.
 */
export { type Answer, judgeAnswer } from "./judge-answer.ts";
export { formatJunit } from "./junit.ts";
export { type CheckedTool, type CheckPlan, planChecks, type ToolCheck } from "./plan-checks.ts";
export { type CheckOutcome, type CheckResult, countResults, isGreen } from "./result.ts";
export { formatTap } from "./tap.ts";
