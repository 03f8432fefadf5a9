import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('transfers', '0010_hourly_transfer'),
    ]

    operations = [
        migrations.CreateModel(
            name='DownloadedMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(help_text='the first day of the month')),
                ('digest', models.CharField(help_text='SHA-256 of the file', max_length=64)),
                ('url', models.TextField(help_text='where it was downloaded')),
                ('validator', models.TextField(blank=True, help_text="the server's ETag, or the date of its last change")),
                ('bytes', models.PositiveBigIntegerField(help_text='size of the file')),
                ('rows', models.PositiveBigIntegerField(help_text='flights in the file')),
                ('downloaded_at', models.DateTimeField(auto_now_add=True)),
                ('checked_at', models.DateTimeField(default=django.utils.timezone.now, help_text='when the server last had this release')),
            ],
            options={
                'ordering': ['-month', '-pk'],
            },
        ),
    ]
