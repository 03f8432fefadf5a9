"""The AWS resource types of the templates that moto's CloudFormation lacks.

RECORDED names the attributes of each that templates refer to. Apart from tests.aws_server, because
importing moto's CloudFormation takes 2 s of CPU, in every test process.
"""

RECORDED: dict[str, dict[str, str]] = {
    "AWS::AppRunner::AutoScalingConfiguration": {"AutoScalingConfigurationArn": "arn:aws:scaling"},
    "AWS::AppRunner::Service": {"ServiceUrl": "abc.us-east-1.awsapprunner.com"},
    "AWS::AppRunner::VpcConnector": {"VpcConnectorArn": "arn:aws:connector"},
    "AWS::ApplicationAutoScaling::ScalableTarget": {},
    "AWS::ApplicationAutoScaling::ScalingPolicy": {},
    "AWS::CloudWatch::Alarm": {},
    "AWS::ElastiCache::ParameterGroup": {},
    "AWS::ElastiCache::ReplicationGroup": {"PrimaryEndPoint": "queue.internal"},
    "AWS::ElastiCache::SubnetGroup": {},
    "AWS::IAM::OIDCProvider": {},
    "AWS::Logs::MetricFilter": {},
    "AWS::RDS::DBCluster": {
        "Endpoint": "writer.internal",
        "ReadEndpoint": "reader.internal",
    },
    "AWS::RDS::DBClusterParameterGroup": {},
    "AWS::RDS::DBInstance": {},
    "AWS::S3::BucketPolicy": {},
    "AWS::SNS::Subscription": {},
}
