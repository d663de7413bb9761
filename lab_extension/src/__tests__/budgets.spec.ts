import type { Budget, Spend } from '../api/types';
import {
  budgetWarning,
  levelText,
  monthText,
  nextText,
  type Told,
  warningsOf
} from '../budgets';
import { plain } from './plain';

/** JupyterLab cuts what is longer. */
const TOAST = 140;

const money = (units: number) => ({
  micros: units * 1_000_000,
  text: `$${units}.00`
});

function budget(change: Partial<Budget>): Budget {
  return {
    scope: 'user',
    name: 'ana',
    amount: money(50),
    stop: 'hard',
    endpoints: 'keep',
    set_by: 'root',
    spent: money(40),
    reserved: money(1),
    left: money(9),
    percent: 80,
    level: 80,
    ...change
  };
}

function spend(budgets: Budget[], since = '2026-11-01T00:00:00Z'): Spend {
  return { since, total: money(40), budgets } as Spend;
}

/** The levels that are said as answers come one after another. */
function saidOf(answers: Spend[]): number[] {
  let told: Told = {};
  return answers.flatMap(answer => {
    const warnings = warningsOf(answer, told);
    told = warnings.told;
    return warnings.due.map(each => each.level);
  });
}

test('each level is said once', () => {
  const levels = [0, 80, 80, 95, 95, 100, 100];
  const answers = levels.map(level => spend([budget({ level })]));
  expect(saidOf(answers)).toEqual([80, 95, 100]);
});

test('who comes late is told the highest level alone', () => {
  const answers = [95, 95].map(level => spend([budget({ level })]));
  expect(saidOf(answers)).toEqual([95]);
});

test('a level is not said again when it is left and reached again', () => {
  const answers = [80, 0, 80].map(level => spend([budget({ level })]));
  expect(saidOf(answers)).toEqual([80]);
});

test('the next month, and a raised budget, begin anew', () => {
  const first = budget({ level: 80 });
  const raised = budget({ level: 80, amount: money(100) });
  const next = spend([first], '2026-12-01T00:00:00Z');
  expect(saidOf([spend([first]), spend([raised]), next])).toEqual([80, 80, 80]);
});

test('budgets of one name and different scopes are told apart', () => {
  const both = [budget({}), budget({ scope: 'group' })];
  expect(warningsOf(spend(both), {}).due).toHaveLength(2);
});

test('what other months said is forgotten', () => {
  const { told } = warningsOf(spend([budget({})]), { 'of October': 95 });
  expect(Object.values(told)).toEqual([80]);
});

test('a level is a word', () => {
  const words = [0, 80, 95, 100].map(level =>
    levelText(plain, budget({ level }))
  );
  expect(words).toEqual([
    'within budget',
    '80 % reached',
    '95 % reached',
    'spent'
  ]);
});

test('a warning says how much, and what happens next', () => {
  expect(budgetWarning(plain, budget({}))).toBe(
    'Budget of ana: $40.00 of $50.00 spent. At 100 % nothing starts; workspaces and runs end, endpoints and apps go on.'
  );
  const spent = budget({ level: 100, scope: 'group', name: 'ml' });
  expect(budgetWarning(plain, spent)).toContain('Budget of the group ml:');
  expect(budgetWarning(plain, spent)).toContain('Ask root to raise it.');
});

test('what happens next depends on the budget, not on its level alone', () => {
  const said = [80, 100].flatMap(level => [
    nextText(plain, budget({ level })),
    nextText(plain, budget({ level, endpoints: 'stop' })),
    nextText(plain, budget({ level, stop: 'soft' }))
  ]);
  expect(new Set(said).size).toBe(5);
  expect(said.filter(text => text.includes('only warns'))).toHaveLength(2);
  expect(said.filter(text => text.includes('apps go on'))).toHaveLength(1);
});

test('a warning fits a toast', () => {
  const long = { name: 'research', scope: 'group' } as const;
  const dear = { amount: money(12_000), spent: money(11_500), ...long };
  for (const level of [80, 95, 100]) {
    for (const endpoints of ['keep', 'stop'] as const) {
      const text = budgetWarning(plain, budget({ ...dear, level, endpoints }));
      expect(text.length).toBeLessThanOrEqual(TOAST);
    }
  }
});

test('the month stands against the tightest budget, if it is about the same money', () => {
  const group = budget({ scope: 'group', name: 'ml', spent: money(45) });
  expect(monthText(plain, spend([]))).toBe('$40.00 this month');
  expect(monthText(plain, spend([budget({}), group]))).toBe(
    '$40.00 of $50.00 this month'
  );
  expect(monthText(plain, spend([group]))).toBe(
    '$40.00 this month · ml: $45.00 of $50.00'
  );
});
