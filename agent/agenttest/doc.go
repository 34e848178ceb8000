// Package agenttest helps to test agents and models.
//
// [Script] is a model that says what a test tells it to say, for testing agents, tools and user interfaces without a real
// one. [TestModel] is a conformance kit: run it on every implementation of agent.Model.
package agenttest
