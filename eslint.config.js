// How the page's JavaScript is checked: `npx eslint` with the version that .ci/run names. The rules need no other package.

const BROWSER = [
  "document",
  "fetch",
  "localStorage",
  "location",
  "scrollTo",
  "sessionStorage",
  "URLSearchParams",
  "setTimeout",
  "clearTimeout",
];

const RULES = {
  "array-callback-return": "error",
  "consistent-return": "error",
  "default-param-last": "error",
  eqeqeq: "error",
  "getter-return": "error",
  "no-cond-assign": "error",
  "no-const-assign": "error",
  "no-dupe-args": "error",
  "no-dupe-class-members": "error",
  "no-dupe-else-if": "error",
  "no-dupe-keys": "error",
  "no-duplicate-imports": "error",
  "no-empty": "error",
  "no-eval": "error",
  "no-fallthrough": "error",
  "no-implicit-globals": "error",
  "no-import-assign": "error",
  "no-promise-executor-return": "error",
  "no-redeclare": "error",
  "no-self-assign": "error",
  "no-shadow": "error",
  "no-undef": "error",
  "no-unreachable": "error",
  "no-unused-expressions": "error",
  "no-unused-vars": "error",
  "no-useless-assignment": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
  "use-isnan": "error",
  "valid-typeof": "error",
};

const globals = Object.fromEntries(BROWSER.map((name) => [name, "readonly"]));

const STATIC = "tagger/server/static";
const LOGIC = ["choice", "format", "jobs", "keys", "marks", "memory", "rows"].map((name) => `${STATIC}/${name}.js`);

export default [
  { linterOptions: { reportUnusedDisableDirectives: "error" }, rules: RULES },
  { files: [`${STATIC}/*.js`], ignores: LOGIC, languageOptions: { globals } }, // what has tests in tests/page knows no browser
  { files: [`${STATIC}/theme.js`], languageOptions: { sourceType: "script" } },
];
