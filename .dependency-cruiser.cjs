// The architecture's rules that are about who imports whom. `name` is what a failed check shows, `comment` why.

/** The libs from the lowest up, each with all that it may import. A lib that is missing here may not be imported. */
const LIBS = {
  errors: [],
  config: ["errors"],
  logging: ["errors"],
  identity: ["errors", "config", "logging"],
  service: ["errors", "config", "logging", "identity"],
  "registry-client": ["errors", "config", "logging", "identity", "service"],
  graphql: ["errors", "config", "logging", "identity", "service", "registry-client"],
  x509: ["errors"],
  testkit: [
    "errors",
    "config",
    "logging",
    "identity",
    "service",
    "registry-client",
    "graphql",
    "x509",
  ],
};

const anyOf = (names) => `(?:${names.join("|")})`;
const npmPackage = (...names) => `(?:^|/)node_modules/${anyOf(names)}/`;

const TESTS = "(?:\\.test\\.ts$|/test/)";
const DEVELOPMENT = [TESTS, "^(?:e2e|bench|tools)/", "^libs/testkit/", "^[^/]+\\.config\\.ts$"];
/** Nouns whose file without a role holds pure rules. The gateway and the registry are themselves about transport and storage. */
const NOUN = "^(?:services/(?:director|connector|runtime-provisioner))/src/([^/]+)/\\1\\.ts$";

const libOrder = Object.entries(LIBS).map(([lib, lower]) => ({
  name: `lib-${lib}-imports-only-lower-libs`,
  comment: `A lib imports only libs below it, so that each can be understood without those above: ${lib} may import ${lower.join(", ") || "none"}.`,
  severity: "error",
  from: { path: `^libs/${lib}/` },
  to: { path: "^libs/", pathNot: `^libs/${anyOf([lib, ...lower])}/` },
}));

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment:
        "What imports each other is one piece, and should be one file or have its third part taken out.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-unresolved-import",
      comment: "The import leads nowhere.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    ...libOrder,
    {
      name: "every-lib-has-its-place",
      comment: "A new lib is given its place in the order of .dependency-cruiser.cjs first.",
      severity: "error",
      from: {},
      to: { path: "^libs/", pathNot: `^libs/${anyOf(Object.keys(LIBS))}/` },
    },
    {
      name: "libs-import-only-libs",
      comment: "A lib serves every process and knows none of them.",
      severity: "error",
      from: { path: "^libs/", pathNot: [TESTS, "^libs/testkit/"] },
      to: { path: "^(?:services|agents|deploy|e2e|bench|tools)/" },
    },
    {
      name: "services-stand-alone",
      comment:
        "Services are processes that hold different secrets: they speak over the network by contracts, never by import.",
      severity: "error",
      from: { path: "^(services/[^/]+|agents/[^/]+)/" },
      to: { path: "^(?:services|agents|deploy|e2e|bench|tools)/", pathNot: "^$1/" },
    },
    {
      name: "deploy-starts-processes",
      comment:
        "What starts the services runs them as processes; of deploy/, only the local plane uses the set-up.",
      severity: "error",
      from: { path: "^(deploy/[^/]+)/", pathNot: TESTS },
      to: {
        path: "^(?:services|agents|deploy|e2e|bench|tools)/",
        pathNot: ["^$1/", "^deploy/set-up/"],
      },
    },
    {
      name: "one-door",
      comment: "A package has one door, src/index.ts: what is behind it may change without asking.",
      severity: "error",
      from: { path: "^([^/]+/[^/]+)/" },
      to: { path: "^(?:libs|agents|deploy)/[^/]+/", pathNot: ["^$1/", "/src/index\\.ts$"] },
    },
    {
      name: "only-the-registry-speaks-to-the-database",
      comment:
        "One process holds the database's credentials, and in it only *.repository.ts and src/database/ have SQL, so that " +
        "the tenant wall is in one place. The local plane asks an existing server one question, in database.ts.",
      severity: "error",
      from: {
        pathNot: [
          "^services/registry/src/.+\\.repository\\.ts$",
          "^services/registry/src/database/",
          "^deploy/local/src/database\\.ts$",
          ...DEVELOPMENT,
        ],
      },
      to: { path: npmPackage("pg", "@prisma/[^/]+", "prisma") },
    },
    {
      name: "only-x509-imports-node-forge",
      comment:
        "node-forge is for ASN.1 structure alone; behind libs/x509 every key and signature is made by node:crypto.",
      severity: "error",
      // The bench measures what issuing by node-forge alone costs.
      from: { pathNot: ["^libs/x509/", "^bench/src/reference/"] },
      to: { path: npmPackage("node-forge") },
    },
    {
      name: "resolvers-import-services-never-clients",
      comment:
        "A resolver leads to a use case, which authorises first. A client in its hands would pass that by.",
      severity: "error",
      from: { path: "\\.resolvers\\.ts$" },
      to: {
        path: [
          "^libs/registry-client/",
          "[.-]client\\.ts$",
          "\\.repository\\.ts$",
          npmPackage("undici"),
        ],
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "read-declarations-import-no-service",
      comment:
        "Reads are declared, not resolved: a declaration that calls a use case is no longer one.",
      severity: "error",
      from: { path: "\\.read\\.ts$" },
      to: { path: "\\.(?:service|resolvers)\\.ts$" },
    },
    {
      name: "nouns-import-no-transport",
      comment:
        "A noun's type and rules are pure, so that they are tested without a network and survive a change of it.",
      severity: "error",
      from: { path: NOUN },
      to: {
        path: [
          "\\.(?:service|resolvers|repository)\\.ts$",
          "^libs/service/",
          npmPackage("undici", "@apollo/[^/]+"),
          "^(?:node:)?(?:http|https|http2|net|tls|dgram|fs|child_process)(?:/|$)",
        ],
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "testkit-is-for-tests",
      comment: "What tests share may cut corners that production may not.",
      severity: "error",
      from: { pathNot: DEVELOPMENT },
      to: { path: "^libs/testkit/" },
    },
    {
      name: "nothing-imports-a-test",
      comment: "A test that another file needs is no test: take out what is needed.",
      severity: "error",
      from: {},
      to: { path: "\\.test\\.ts$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: ["(?:^|/)(?:\\.tmp|\\.sextant|generated)/"] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      mainFields: ["module", "main", "types"],
    },
    skipAnalysisNotInRules: true,
  },
};
