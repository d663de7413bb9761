/** Jest tests pure logic only; what touches JupyterLab is tested in a browser. */
module.exports = {
  modulePathIgnorePatterns: ['<rootDir>/labextension', '<rootDir>/lib'],
  reporters: ['default', '<rootDir>/jest.reporter.cjs'],
  testMatch: ['<rootDir>/src/__tests__/**/*.spec.ts'],
  transform: {
    '^.+\\.tsx?$': [
      'ts-jest',
      {
        tsconfig: {
          module: 'commonjs',
          moduleResolution: 'node',
          target: 'ES2022',
          lib: ['DOM', 'ES2022'],
          strict: true,
          jsx: 'react',
          esModuleInterop: true,
          types: ['jest']
        }
      }
    ]
  }
};
