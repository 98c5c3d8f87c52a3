//! The CloudFormation templates, created on an emulator as far as it supports the services.

use nofx_tests::own::Own;
use serde_json::{Value, json};

/// The emulator of a stack's queue.
struct Emulator(String);

impl Emulator {
    async fn send(&self, service: &str, request: reqwest::RequestBuilder) -> String {
        // Names the service; the emulator checks no more of a signature.
        let scope = format!("AWS4-HMAC-SHA256 Credential=nofx/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0");
        let answer = request.header("authorization", scope).send().await.expect("moto answers");
        let (status, text) = (answer.status(), answer.text().await.expect("text"));
        assert!(status.is_success(), "{service}: {status} {text}");
        text
    }

    async fn create(&self, stack: &str, template: &str, parameters: &[(&str, &str)]) -> String {
        let path = nofx_tests::stack::root().join("worker/deploy").join(template);
        let mut form = vec![
            ("Action".to_owned(), "CreateStack".to_owned()),
            ("Version".to_owned(), "2010-05-15".to_owned()),
            ("StackName".to_owned(), stack.to_owned()),
            ("Capabilities.member.1".to_owned(), "CAPABILITY_IAM".to_owned()),
            ("TemplateBody".to_owned(), std::fs::read_to_string(path).expect("a template")),
        ];
        for (n, (name, value)) in (1..).zip(parameters) {
            form.push((format!("Parameters.member.{n}.ParameterKey"), (*name).to_owned()));
            form.push((format!("Parameters.member.{n}.ParameterValue"), (*value).to_owned()));
        }
        let client = nofx_shared::net::client();
        self.send("cloudformation", client.post(&self.0).form(&form)).await;
        let asked = [("Action", "DescribeStacks"), ("Version", "2010-05-15"), ("StackName", stack)];
        let answer = self.send("cloudformation", client.post(&self.0).form(&asked)).await;
        assert!(answer.contains("<StackStatus>CREATE_COMPLETE</StackStatus>"), "{template}: {answer}");
        answer
    }

    async fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        let request =
            nofx_shared::net::client().post(&self.0).header("x-amz-target", target).header("content-type", "application/x-amz-json-1.1");
        serde_json::from_str(&self.send(service, request.body(body.to_string())).await).expect("JSON")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_templates_make_what_the_workers_count_on() {
    let own = Own::start(&Own::folder("templates"), &["--queue", "sqs", "--workers", "0"]);
    let aws = Emulator(own.dev()["queue"]["AWS_ENDPOINT_URL"].as_str().expect("a URL").to_owned());
    aws.create("queues", "queues.yaml", &[("Prefix", "deployed")]).await;
    for urgency in ["high", "normal", "low"] {
        let url = aws.json("sqs", "AmazonSQS.GetQueueUrl", &json!({"QueueName": format!("deployed-{urgency}")})).await["QueueUrl"].clone();
        let asked = json!({"QueueUrl": url, "AttributeNames": ["All"]});
        let attributes = aws.json("sqs", "AmazonSQS.GetQueueAttributes", &asked).await["Attributes"].clone();
        let redrive: Value = serde_json::from_str(attributes["RedrivePolicy"].as_str().expect("a policy")).expect("JSON");
        assert!(redrive["deadLetterTargetArn"].as_str().is_some_and(|arn| arn.ends_with(":deployed-dead")), "{attributes}");
        assert_eq!((attributes["VisibilityTimeout"].as_str(), redrive["maxReceiveCount"].to_string().trim_matches('"')), (Some("30"), "5"));
    }
    let worker = [
        ("Prefix", "deployed"),
        ("Image", "worker@sha256:0"),
        ("Subnets", "subnet-1,subnet-2"),
        ("SecurityGroup", "sg-1"),
        ("SupabaseUrl", "https://project.example"),
    ];
    aws.create("workers", "service.yaml", &worker).await;
    let asked = json!({"cluster": "deployed", "services": ["deployed-worker"]});
    let service = aws.json("ecs", "AmazonEC2ContainerServiceV20141113.DescribeServices", &asked).await["services"][0].clone();
    let asked = json!({"taskDefinition": service["taskDefinition"]});
    let definition = aws.json("ecs", "AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition", &asked).await["taskDefinition"].clone();
    let container = &definition["containerDefinitions"][0];
    assert_eq!((container["readonlyRootFilesystem"].as_bool(), container["user"].as_str()), (Some(true), Some("0")), "{definition}");
    // Every setting that the template gives is one that the worker reads.
    let example = std::fs::read_to_string(nofx_tests::stack::root().join(".env.example")).expect("text");
    for setting in container["environment"].as_array().expect("settings").iter().chain(container["secrets"].as_array().expect("secrets")) {
        // What a condition leaves out is there for the emulator, without a name.
        let Some(name) = setting["name"].as_str() else { continue };
        assert!(example.lines().any(|line| line.starts_with(&format!("{name}="))), "{name} is no setting");
    }
    aws.create("alarms", "alarms.yaml", &[("Prefix", "deployed"), ("Email", "somebody@example.com")]).await;
}
